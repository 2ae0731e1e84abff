// A one-time token comes in the fragment, which browsers don't send: it is moved into the form and out of the address.
const input = document.querySelector('input[data-fragment]');
const token = decodeURIComponent(location.hash.slice(1));
if (token) {
  history.replaceState(null, '', location.pathname);
  input.value = token;
  const next = document.querySelector('input:not([data-fragment]):not([type="hidden"])');
  if (next) next.focus();
  if ('submitAtOnce' in input.form.dataset) {
    input.form.classList.add('is-sending');
    input.form.requestSubmit();
  }
}
