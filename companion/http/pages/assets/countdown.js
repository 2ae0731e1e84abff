// How long the request can still be approved. The end is in the page, in milliseconds from its loading.
const shown = document.querySelector('[data-ends-in]');
const ends = performance.now() + Number(shown.dataset.endsIn);
const tick = () => {
  const left = Math.max(0, Math.round((ends - performance.now()) / 1000));
  shown.textContent =
    left > 0
      ? `This request ends in ${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`
      : shown.dataset.ended;
  if (left > 0) return;
  clearInterval(timer);
  for (const button of document.querySelectorAll('button[name="decision"]')) button.disabled = true;
};
const timer = setInterval(tick, 1000);
tick();
