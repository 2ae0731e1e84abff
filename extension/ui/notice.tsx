import type { ComponentChildren } from 'preact';
import { Icon, type IconName } from './icon.tsx';

type Tone = 'info' | 'ok' | 'warn' | 'bad' | 'plain';
const TONE_ICONS: Record<Tone, IconName> = {
  info: 'info',
  ok: 'shield-check',
  warn: 'hourglass',
  bad: 'warn',
  plain: 'info',
};

/** A remark inside a page. `live` has it read out when it appears. */
export function Callout(props: { tone: Tone; icon?: IconName; live?: boolean; children: ComponentChildren }) {
  return (
    <div
      class={`callout ${props.tone === 'info' ? '' : `callout--${props.tone}`}`}
      role={props.live ? (props.tone === 'bad' ? 'alert' : 'status') : undefined}
    >
      <Icon name={props.icon ?? TONE_ICONS[props.tone]} />
      <div>{props.children}</div>
    </div>
  );
}

/** A remark across the whole width, about the state of everything below it. */
export function Banner(props: {
  tone?: 'warn' | 'info';
  icon: IconName;
  children: ComponentChildren;
  action?: ComponentChildren;
}) {
  return (
    <div class={`banner ${props.tone === 'info' ? 'banner--info' : ''}`} role="status">
      <Icon name={props.icon} />
      <span class="grow">{props.children}</span>
      {props.action}
    </div>
  );
}

/** What belongs here, and the one thing to do. */
export function Empty(props: {
  picture?: ComponentChildren;
  title: string;
  children?: ComponentChildren;
  action?: ComponentChildren;
}) {
  return (
    <div class="empty">
      {props.picture}
      <h2>{props.title}</h2>
      {props.children && <p>{props.children}</p>}
      {props.action}
    </div>
  );
}

/** The outline of rows that are on their way. */
export function SkeletonRows({ rows = 3 }: { rows?: number }) {
  return (
    <div class="skeletons">
      <span class="sr" role="status">
        Loading
      </span>
      {Array.from({ length: rows }, (_, i) => (
        <div key={i} class="krow" aria-hidden="true">
          <i class="skeleton" style="width:112px" />
          <i class="skeleton" style="width:52px" />
          <i class="skeleton" style="width:150px" />
          <span />
          <i class="skeleton" style="width:220px" />
        </div>
      ))}
    </div>
  );
}
