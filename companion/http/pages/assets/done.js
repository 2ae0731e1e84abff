// How it ended stands in the fragment: the extension reads it there, and so does this page.
const show = () => {
  const denied = new URLSearchParams(location.hash.slice(1)).has('error');
  for (const part of document.querySelectorAll('[data-when]'))
    part.hidden = part.dataset.when !== (denied ? 'denied' : 'connected');
  document.title = denied ? 'Request denied · Heex Keys' : 'Connected · Heex Keys';
};
addEventListener('hashchange', show);
show();
