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
  loading: boolean;
  /** Whether there is another page. */
  hasMore: boolean;
  more: () => void;
  reload: () => void;
}

/**
 * A list that is read page by page. `key` names what is asked for: when it changes the list begins anew, and an answer to the
 * earlier question is thrown away.
 */
export function usePaged<P extends Page>(
  key: string,
  read: (cursor: string | undefined) => Promise<Result<P>>,
): Paged<P> {
  const [items, setItems] = useState<P['items']>();
  const [last, setLast] = useState<P>();
  const [failure, setFailure] = useState<Failure>();
  const [loading, setLoading] = useState(false);
  const question = useRef(0);
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
    setLast(result.value);
    setItems((before) => (cursor === undefined ? result.value.items : [...(before ?? []), ...result.value.items]));
  }, []);
  useEffect(() => {
    void load(undefined);
    return () => {
      question.current++;
    };
  }, [key, load]);
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
