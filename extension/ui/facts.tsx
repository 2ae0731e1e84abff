import type { ComponentChildren } from 'preact';

/** Pairs of a word and what it is; a pair without a value is left out. */
export function Facts({
  rows,
  narrow = false,
}: {
  rows: readonly (readonly [string, ComponentChildren])[];
  narrow?: boolean;
}) {
  return (
    <dl class={`facts ${narrow ? 'facts--narrow' : ''}`}>
      {rows
        .filter(([, value]) => value !== undefined && value !== null && value !== false && value !== '')
        .map(([word, value]) => (
          <>
            <dt>{word}</dt>
            <dd>{value}</dd>
          </>
        ))}
    </dl>
  );
}
