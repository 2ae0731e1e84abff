import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { Failure, Result } from '../messages/failure.ts';

interface Page {
  items: unknown[];
  nextCursor: string | null;
}
interface Paged<P extends Page> {
  /** Undefined until the first page has come. */
  items: P['items'] | undefined;
  /** The newest answer as a whole: what a page says beside its items. */
  last: P | undefined;
  failure: Failure | undefined;
  /** The person waits for it; reading again behind what is shown is not that. */
  loading: boolean;
  /** Whether there is another page. */
  hasMore: boolean;
  more: () => void;
  reload: () => void;
}

type Read<P extends Page> = (cursor: string | undefined) => Promise<Result<P>>;

/** So many pages from the beginning, as one list. */
async function readPages<P extends Page>(
  read: Read<P>,
  pages: number,
): Promise<Result<{ last: P; items: P['items'] }>> {
  const items: P['items'] = [];
  for (let cursor: string | undefined; ; ) {
    const result = await read(cursor);
    if (!result.ok) return result;
    items.push(...result.value.items);
    cursor = result.value.nextCursor ?? undefined;
    if (cursor === undefined || --pages < 1) return { ok: true, value: { last: result.value, items } };
  }
}

/** What is waited after a failure, in milliseconds: a server in trouble is not asked every second. */
const AFTER_FAILURE = 5000;

/** Does something again and again while the page can be seen, never twice at once. Without a pause (milliseconds) it does nothing. */
function useWhileSeen(pause: number | undefined, act: () => Promise<boolean>): void {
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => {
    if (pause === undefined) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let running = false;
    let over = false;
    const turn = async () => {
      clearTimeout(timer);
      if (over || running || document.visibilityState !== 'visible') return;
      running = true;
      const worked = await latest.current();
      running = false;
      if (!over) timer = setTimeout(turn, worked ? pause : Math.max(pause, AFTER_FAILURE));
    };
    timer = setTimeout(turn, pause);
    document.addEventListener('visibilitychange', turn);
    return () => {
      over = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', turn);
    };
  }, [pause]);
}

/**
 * A list that is read page by page. `key` names what is asked for: when it changes the list begins anew, and an answer to the
 * earlier question is thrown away.
 * @param again how long after an answer the pages shown are read anew, in milliseconds, while the page can be seen; without, never
 */
export function usePaged<P extends Page>(key: string, read: Read<P>, again?: number): Paged<P> {
  const [items, setItems] = useState<P['items']>();
  const [last, setLast] = useState<P>();
  const [failure, setFailure] = useState<Failure>();
  const [loading, setLoading] = useState(false);
  const question = useRef(0);
  const pages = useRef(1);
  const reader = useRef(read);
  reader.current = read;
  const load = useCallback(async (cursor: string | undefined) => {
    const mine = ++question.current;
    setLoading(true);
    const result = await reader.current(cursor);
    if (mine !== question.current) return;
    setLoading(false);
    setFailure(result.ok ? undefined : result.failure);
    if (!result.ok) return;
    pages.current = cursor === undefined ? 1 : pages.current + 1;
    setLast(result.value);
    setItems((before) => (cursor === undefined ? result.value.items : [...(before ?? []), ...result.value.items]));
  }, []);
  useEffect(() => {
    void load(undefined);
    return () => {
      question.current++;
    };
  }, [key, load]);
  useWhileSeen(again, async () => {
    const asked = question.current;
    if (loading) return true;
    const result = await readPages(reader.current, pages.current);
    // The person has asked for something in between: their answer counts.
    if (asked !== question.current) return true;
    setFailure(result.ok ? undefined : result.failure);
    if (result.ok) {
      setLast(result.value.last);
      setItems(result.value.items);
    }
    return result.ok;
  });
  const next = last?.nextCursor ?? null;
  return {
    items,
    last,
    failure,
    loading,
    hasMore: next !== null,
    more: () => next !== null && !loading && void load(next),
    reload: () => void load(undefined),
  };
}

/** A value as it was when it last stood still for so many milliseconds: a search is not sent with every letter. */
export function useSettled<T>(value: T, wait = 250): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), wait);
    return () => clearTimeout(timer);
  }, [value, wait]);
  return settled;
}
