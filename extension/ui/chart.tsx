import type { UsageDay } from '../../shared/contract/keys.ts';
import { now } from '../state/clock.ts';
import {
  type Counts,
  dayTotal,
  niceTop,
  OUTCOME_WORDS,
  type Outcome,
  ofDay,
  outcomeTotal,
  sparkHeights,
  total,
  usageSentence,
} from './chart-data.ts';
import { compact, day, number } from './format.ts';

const SPARK = { days: 16, width: 64, bar: 3 };
/** Least height that still shows that there was something. */
const LEAST = 1.5;

/** Sixteen days of use in the corner of a row; `height` in pixels. */
export function Sparkline({ days, height = 18 }: { days: readonly UsageDay[]; height?: number }) {
  const { width, bar } = SPARK;
  const sum = total(days.slice(-SPARK.days));
  return (
    <svg
      class="spark"
      role="img"
      aria-label={`Requests, last ${SPARK.days} days: ${number(sum)}`}
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
    >
      {sparkHeights(days, SPARK.days).map((share, i) => {
        const h = Math.max(LEAST, share * height);
        return (
          <rect
            key={i}
            class={share === 0 ? 'z' : undefined}
            x={i * 4}
            y={height - h}
            width={bar}
            height={h}
            rx=".75"
          />
        );
      })}
    </svg>
  );
}

export const STACK: readonly Outcome[] = ['valid', 'unauthorized', 'forbidden', 'rate_limited'];
export const FILLS: Record<Outcome, { class?: string; fill?: string }> = {
  valid: { class: 'c-ok' },
  unauthorized: { class: 'c-401' },
  forbidden: { fill: 'url(#texture-403)' },
  rate_limited: { fill: 'url(#texture-429)' },
};

/** Diagonals for 403, lines for 429: outcomes differ in more than colour. */
export function Textures() {
  return (
    <defs>
      <pattern id="texture-403" width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <rect width="4" height="4" class="texture-ground" />
        <rect width="2.4" height="4" class="c-403" />
      </pattern>
      <pattern id="texture-429" width="3" height="3" patternUnits="userSpaceOnUse">
        <rect width="3" height="3" class="texture-ground" />
        <rect width="3" height="1.8" class="c-429" />
      </pattern>
    </defs>
  );
}

const SIZE = { width: 368, height: 88, plot: 340, base: 70, top: 8 };

interface BarsProps {
  of: Counts;
  x: number;
  width: number;
  /** Pixels for one request. */
  scale: number;
  /** Where the axis is. */
  base: number;
}

/** The stacked bars of one day or hour, from the axis up. */
export function Bars({ of, x, width, scale, base }: BarsProps) {
  let y = base;
  return (
    <g>
      {STACK.filter((outcome) => ofDay(of, outcome) > 0).map((outcome) => {
        const h = Math.max(1, ofDay(of, outcome) * scale);
        y -= h;
        return (
          <rect
            key={outcome}
            {...FILLS[outcome]}
            x={x}
            y={y}
            width={width}
            height={h}
            rx={outcome === 'valid' ? 1 : 0}
          />
        );
      })}
    </g>
  );
}

/** Requests per day by outcome, with an axis of two lines. */
export function UsageChart({ days }: { days: readonly UsageDay[] }) {
  const { width, height, plot, base, top } = SIZE;
  const most = niceTop(Math.max(0, ...days.map(dayTotal)));
  const step = plot / Math.max(1, days.length);
  const first = days[0];
  return (
    <svg
      class="chart"
      role="img"
      aria-label={usageSentence(days, now.value)}
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
    >
      <Textures />
      {[most, most / 2].map((value, i) => (
        <g key={value}>
          <line class="grid" x1="0" x2={plot} y1={top + (i * (base - top)) / 2} y2={top + (i * (base - top)) / 2} />
          <text x={width} y={top + 4 + (i * (base - top)) / 2} text-anchor="end">
            {compact(value)}
          </text>
        </g>
      ))}
      {days.map((d, i) => (
        <Bars key={d.date} of={d} x={i * step} width={step - 2} scale={(base - top) / most} base={base} />
      ))}
      <line class="axis" x1="0" x2={plot} y1={base} y2={base} />
      {first && (
        <text x="0" y="84">
          {day(`${first.date}T12:00:00`, now.value)}
        </text>
      )}
      <text x={plot - 2} y="84" text-anchor="end">
        Today
      </text>
    </svg>
  );
}

/** The outcomes that occur, with their sums. */
export function UsageLegend({ days }: { days: readonly Counts[] }) {
  const present = STACK.filter((outcome) => outcome === 'valid' || outcomeTotal(days, outcome) > 0);
  return (
    <ul class="row row--wrap small muted usage-legend">
      {present.map((outcome) => (
        <li key={outcome} class="row">
          <svg aria-hidden="true" width="10" height="10">
            <rect width="10" height="10" rx="2" {...FILLS[outcome]} />
          </svg>
          {OUTCOME_WORDS[outcome]} {number(outcomeTotal(days, outcome))}
        </li>
      ))}
    </ul>
  );
}

/** The same figures as a table, for those who want to read them. */
export function UsageTable({ days }: { days: readonly UsageDay[] }) {
  return (
    <table class="table table--log">
      <caption class="sr">Requests per day</caption>
      <thead>
        <tr>
          <th scope="col">Day</th>
          {STACK.map((outcome) => (
            <th key={outcome} scope="col" class="r">
              {outcome === 'valid' ? 'Allowed' : OUTCOME_WORDS[outcome].slice(0, 3)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {days.toReversed().map((d) => (
          <tr key={d.date}>
            <td>{day(`${d.date}T12:00:00`, now.value)}</td>
            {STACK.map((outcome) => (
              <td key={outcome} class="r num">
                {number(ofDay(d, outcome))}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
