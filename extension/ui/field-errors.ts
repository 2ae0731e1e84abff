import type { FieldError } from '../../shared/contract/errors.ts';

/** A message of the contract as a sentence: `use at least 2 characters` is `Use at least 2 characters.` */
export function sentence(message: string): string {
  const text = message.trim();
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(capital) ? capital : `${capital}.`;
}

const INDEX = /^\[?(\d+)\]?/;

/** The errors of a field and of what lies in it, as sentences; `ipAllowlist.1` belongs to `ipAllowlist`. */
export function errorsOf(errors: readonly FieldError[], field: string): string[] {
  return errors
    .filter(({ path }) => path === field || path.startsWith(`${field}.`) || path.startsWith(`${field}[`))
    .map(({ message }) => sentence(message));
}

/** Text of several lines as a list without empty ones, and the line (from 1) that each entry stands on. */
export function readLines(text: string): { entries: string[]; lines: number[] } {
  const entries: string[] = [];
  const lines: number[] = [];
  text.split(/\r?\n/).forEach((line, i) => {
    if (line.trim() === '') return;
    entries.push(line.trim());
    lines.push(i + 1);
  });
  return { entries, lines };
}

const SPOKEN_LINE = /^line (\d+): */i;

/**
 * The errors of a list that was typed one entry a line, each with the line that it is about. The server counts entries, in the
 * path or in the words; the person counts lines, empty ones too.
 */
export function lineErrors(
  errors: readonly FieldError[],
  field: string,
  text: string,
): { line?: number; words: string }[] {
  const { lines } = readLines(text);
  return errors.flatMap(({ path, message }) => {
    if (path !== field && !path.startsWith(`${field}.`) && !path.startsWith(`${field}[`)) return [];
    const inPath = INDEX.exec(path.slice(field.length).replace(/^\./, ''))?.[1];
    const spoken = SPOKEN_LINE.exec(message)?.[1];
    const index = inPath === undefined ? spoken && Number(spoken) - 1 : Number(inPath);
    const line = index === undefined || index === '' ? undefined : lines[index];
    const words = sentence(message.replace(SPOKEN_LINE, ''));
    return [line === undefined ? { words } : { line, words }];
  });
}

/** Moves the focus to the first field of the form that is marked as wrong. */
export function focusFirstInvalid(form: HTMLElement | null): void {
  // After the next paint, when the marks are there.
  requestAnimationFrame(() => {
    const wrong = form?.querySelector<HTMLElement>('[aria-invalid="true"]');
    wrong?.focus();
    wrong?.scrollIntoView({ block: 'center' });
  });
}
