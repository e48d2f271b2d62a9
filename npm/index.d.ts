/** What a page hears, by the names of events: message types. Without one, everything. */
export type Heard = Record<string, any>;

/** What a page emits, by the names of events: messages, and what they are answered. Without one, everything. */
export type Said = Record<string, { message: any; answer: any }>;

export type Status = "connecting" | "open" | "waiting" | "closed";

export interface Envelope {
  type: string;
  message: unknown;
  channel?: string;
  cursor?: string;
}

export interface RealtimeError {
  code: string;
  message: string;
}

/** The client's own events. */
export interface OwnEvents {
  status: { state: Status; delay?: number; code?: number };
  open: undefined;
  close: { code: number; reason: string };
  gap: unknown;
}

export interface Subscription {
  /** A cursor: what follows it is heard. Without one, hearing begins now. */
  since?: string | null;
  /** Of `channel_token`, where the channel's rule asks for one. */
  token?: string;
  /** `{field: value}`, of what is wanted; needs a WebSocket. */
  where?: Record<string, unknown>;
  /** Messages may come as differences, which are put together here. */
  delta?: boolean;
  onSubscribed?: (reply: { recovered?: boolean; cursor?: string }) => void;
  onGap?: (cursor: string) => void;
  onError?: (error: RealtimeError) => void;
}

/** What it returns is the answer, when the server asked for one (`socket.call`). */
type Listener<Message> = (message: Message, envelope: Envelope) => unknown;
type Answered<Answer> = (answer: Answer | undefined, error: RealtimeError | null) => void;

export interface Socket<Server extends object = Heard, Client extends object = Said> {
  readonly status: Status;
  readonly transport: "websocket" | "eventsource" | "polling";
  readonly session: string | null;
  on<Name extends keyof OwnEvents>(type: Name, listener: Listener<OwnEvents[Name]>): this;
  on<Name extends keyof Server & string>(type: Name, listener: Listener<Server[Name]>): this;
  off<Name extends keyof OwnEvents>(type: Name, listener: Listener<OwnEvents[Name]>): this;
  off<Name extends keyof Server & string>(type: Name, listener: Listener<Server[Name]>): this;
  /** `ack(answer, null)`, or `ack(undefined, error)`. While away it waits for the connection, unless it is volatile. */
  emit<Name extends keyof Client & string>(
    type: Name,
    message: Client[Name] extends { message: infer Message } ? Message : never,
    ack?: Answered<Client[Name] extends { answer: infer Answer } ? Answer : never> | null,
    options?: { volatile?: boolean },
  ): this;
  send(text: string, ack?: Answered<unknown>): this;
  subscribe(channel: string, subscription?: Subscription): this;
  unsubscribe(channel: string): this;
  /** After `close()`, or to come back sooner than planned. */
  connect(): void;
  /** For who knows that the connection is dead before the browser does. */
  reconnect(): void;
  close(): void;
}

/** Connects at once: to `ws/` of this site, or to an address. */
export function connect<Server extends object = Heard, Client extends object = Said>(
  url?: string,
): Socket<Server, Client>;

declare const Realtime: { connect: typeof connect };
export default Realtime;
