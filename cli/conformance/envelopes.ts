import type { Hello, MessageEnvelope, Resumed } from "../../protocol";

export const EPOCH = "Zk3vQ9x1LmPq";
export const OTHER_EPOCH = "b7Wq0dTy5RnE";

export const cursor = (seq: number, epoch = EPOCH) => ({ epoch, seq });

/** The message of that number, with a body that names it. */
export function message(seq: number, rest: Partial<MessageEnvelope> = {}): MessageEnvelope {
  return { type: "message", epoch: EPOCH, seq, id: `id-${seq}`, body: `m${seq}`, ...rest };
}

export function hello(newest: number, rest: Partial<Hello> = {}): Hello {
  return { type: "hello", epoch: EPOCH, oldest: 1, newest, ...rest };
}

export function resumed(first: number, through: number, rest: Partial<Resumed> = {}): Resumed {
  return { type: "resumed", recovered: true, first, through, ...rest };
}

/** What answers a resume: the messages `first` to `through` follow. */
export function answer(first: number, through: number, newest = through): object[] {
  const messages = Array.from({ length: Math.max(through - first + 1, 0) }, (_, index) => message(first + index));
  return [hello(newest), resumed(first, through), ...messages];
}

/** What answers the resume of a session that has never had a message. */
export const emptyAnswer: object[] = [{ type: "hello", oldest: 1, newest: 0 }, resumed(1, 0)];
