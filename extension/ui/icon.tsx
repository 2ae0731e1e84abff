import sprite from '../../shared/style/icons.svg?raw';

export type IconName =
  | 'agent'
  | 'alert'
  | 'back'
  | 'ban'
  | 'bell'
  | 'bolt'
  | 'box'
  | 'building'
  | 'calendar'
  | 'chain'
  | 'check'
  | 'clock'
  | 'code'
  | 'copy'
  | 'down'
  | 'download'
  | 'expand'
  | 'external'
  | 'eye'
  | 'eye-off'
  | 'file'
  | 'filter'
  | 'flag'
  | 'globe'
  | 'grid'
  | 'handoff'
  | 'hash'
  | 'help'
  | 'hourglass'
  | 'info'
  | 'insert'
  | 'key'
  | 'keyboard'
  | 'layers'
  | 'link'
  | 'list'
  | 'lock'
  | 'logout'
  | 'mail'
  | 'more'
  | 'ok'
  | 'passkey'
  | 'pause'
  | 'pause-circle'
  | 'pencil'
  | 'play'
  | 'plus'
  | 'pulse'
  | 'refresh'
  | 'right'
  | 'rotate'
  | 'search'
  | 'server'
  | 'shield'
  | 'shield-check'
  | 'sliders'
  | 'terminal'
  | 'trash'
  | 'updown'
  | 'user'
  | 'user-minus'
  | 'user-plus'
  | 'users'
  | 'warn'
  | 'wifi-off'
  | 'x'
  | 'x-circle';

/** Puts the drawings into the page once, so that every icon is there at the first paint. */
function addSprite(): void {
  if (document.getElementById('sprite')) return;
  const svg = new DOMParser().parseFromString(sprite, 'image/svg+xml').documentElement;
  svg.id = 'sprite';
  svg.setAttribute('class', 'sprite');
  svg.setAttribute('aria-hidden', 'true');
  document.body.append(document.importNode(svg, true));
}

/** A drawing of 16 pixels beside the words that say it: never the only bearer of a meaning. */
export function Icon({ name, class: more = '' }: { name: IconName; class?: string }) {
  addSprite();
  return (
    <svg class={`icon ${more}`.trim()} aria-hidden="true">
      <use href={`#${name}`} />
    </svg>
  );
}
