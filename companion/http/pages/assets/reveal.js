// Shows and hides a password on request.
for (const button of document.querySelectorAll('button[data-reveal]')) {
  const input = document.getElementById(button.dataset.reveal);
  button.hidden = false;
  button.addEventListener('click', () => {
    const shown = input.type === 'text';
    input.type = shown ? 'password' : 'text';
    button.setAttribute('aria-pressed', String(!shown));
    button.setAttribute('aria-label', shown ? 'Show password' : 'Hide password');
  });
  // A password manager and the browser's own warning want to see a password field.
  input.form.addEventListener('submit', () => {
    input.type = 'password';
  });
}
