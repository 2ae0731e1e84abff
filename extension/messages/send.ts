import { browser } from 'wxt/browser';
import { localFailure, type Result } from './failure.ts';
import type { AnswerOf, MessageType, Protocol } from './protocol.ts';

/** Asks the background. Never throws: a background that can't be reached is a failure like any other. */
export async function ask<T extends MessageType>(
  type: T,
  ...payload: Parameters<Protocol[T]>
): Promise<Result<AnswerOf<T>>> {
  try {
    const answer: Result<AnswerOf<T>> | undefined = await browser.runtime.sendMessage({ type, payload: payload[0] });
    return answer ?? { ok: false, failure: localFailure('internal_error', 'The background did not answer.') };
  } catch (error) {
    return { ok: false, failure: localFailure('internal_error', error instanceof Error ? error.message : undefined) };
  }
}
