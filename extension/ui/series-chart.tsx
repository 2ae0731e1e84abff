import type { SeriesPoint } from '../../shared/contract/overview.ts';
import { now } from '../state/clock.ts';
import { Bars, STACK, Textures } from './chart.tsx';
import { dayTotal, niceTop, OUTCOME_WORDS, ofDay, outcomeTotal, total } from './chart-data.ts';
import { clock, compact, day, ms, number } from './format.ts';

const SIZE = { width: 720, height: 280, left: 40, top: 8, base: 252 };

/** `18 Nov, 12:00–15:00`, or the day alone where a step is a day. */
export function stepWords(at: string, stepSeconds: number, present: number): string {
  const start = ms(at);
  if (stepSeconds >= 86_400) return day(start, present);
  return `${day(start, present)}, ${clock(start)}–${clock(start + stepSeconds * 1000)}`;
}

/** The sentence that the chart is for those who do not see it. */
export function seriesSentence(points: readonly SeriesPoint[], stepSeconds: number, present: number): string {
  const [first] = points;
  if (!first || total(points) === 0) return 'No requests in this time.';
  const most = points.reduce((best, p) => (dayTotal(p) > dayTotal(best) ? p : best), first);
  const refused = STACK.filter((o) => o !== 'valid' && outcomeTotal(points, o) > 0).map(
    (o) => `${number(outcomeTotal(points, o))} were refused with ${OUTCOME_WORDS[o].slice(0, 3)}`,
  );
  return `${number(total(points))} requests. Most ${stepWords(most.at, stepSeconds, present)}, ${number(dayTotal(most))}. ${
    refused.length > 0 ? `${refused.join(', ')}.` : 'None were refused.'
  }`;
}

/** Where a label fits: at every new day of a week, every sixth hour of a day, every fifth day of a month. */
function labelOf(point: SeriesPoint, i: number, stepSeconds: number, present: number): string | undefined {
  if (stepSeconds >= 86_400) return i % 5 === 0 ? day(point.at, present) : undefined;
  if (stepSeconds <= 3600) return i % 6 === 0 ? clock(point.at) : undefined;
  return i % Math.round(86_400 / stepSeconds) === 0 ? day(point.at, present) : undefined;
}

function Grid({ most }: { most: number }) {
  const { width, left, top, base } = SIZE;
  return [1, 0.5, 0].map((share) => {
    const y = base - share * (base - top);
    return (
      <g key={share}>
        <line class={share === 0 ? 'axis' : 'grid'} x1={left} x2={width} y1={y} y2={y} />
        <text x={left - 8} y={y + 4} text-anchor="end">
          {compact(most * share)}
        </text>
      </g>
    );
  });
}

/** Requests over time by outcome; the exact figures of a bar are in its title. */
export function SeriesChart({ points, stepSeconds }: { points: readonly SeriesPoint[]; stepSeconds: number }) {
  const { width, height, left, top, base } = SIZE;
  const most = niceTop(Math.max(0, ...points.map(dayTotal)));
  const step = (width - left) / Math.max(1, points.length);
  return (
    <svg
      class="chart chart--wide"
      role="img"
      aria-label={seriesSentence(points, stepSeconds, now.value)}
      viewBox={`0 0 ${width} ${height}`}
    >
      <Textures />
      <Grid most={most} />
      {points.map((point, i) => {
        const label = labelOf(point, i, stepSeconds, now.value);
        const figures = STACK.filter((o) => ofDay(point, o) > 0).map(
          (o) => `${OUTCOME_WORDS[o]}: ${number(ofDay(point, o))}`,
        );
        return (
          <g key={point.at} class="chart__step">
            <title>{[stepWords(point.at, stepSeconds, now.value), ...figures].join('\n')}</title>
            <rect class="chart__hit" x={left + i * step} y={top} width={step} height={base - top} />
            <Bars
              of={point}
              x={left + i * step + 1}
              width={Math.max(1, step - 2)}
              scale={(base - top) / most}
              base={base}
            />
            {label && (
              <text x={left + i * step} y={base + 18}>
                {label}
              </text>
            )}
          </g>
        );
      })}
    </svg>
  );
}

/** The same figures to read. */
export function SeriesTable({ points, stepSeconds }: { points: readonly SeriesPoint[]; stepSeconds: number }) {
  return (
    <div class="series-table">
      <table class="table table--log">
        <caption class="sr">Requests over time</caption>
        <thead>
          <tr>
            <th scope="col">When</th>
            {STACK.map((outcome) => (
              <th key={outcome} scope="col" class="r">
                {OUTCOME_WORDS[outcome]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {points.toReversed().map((point) => (
            <tr key={point.at}>
              <td>{stepWords(point.at, stepSeconds, now.value)}</td>
              {STACK.map((outcome) => (
                <td key={outcome} class="r num">
                  {number(ofDay(point, outcome))}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
