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
  since?: string | null;
  token?: string;
  onSubscribed?: (reply: { recovered?: boolean; cursor?: string }) => void;
  onGap?: (cursor: string) => void;
  onError?: (error: RealtimeError) => void;
}

/** What a server that asks, by `socket.call`, may be answered. */
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
  emit<Name extends keyof Client & string>(
    type: Name,
    message: Client[Name] extends { message: infer Message } ? Message : never,
    ack?: Answered<Client[Name] extends { answer: infer Answer } ? Answer : never> | null,
    options?: { volatile?: boolean },
  ): this;
  send(text: string, ack?: Answered<unknown>): this;
  subscribe(channel: string, subscription?: Subscription): this;
  unsubscribe(channel: string): this;
  connect(): void;
  close(): void;
}

/** Connects at once: to `ws/` of this site, or to an address. */
export function connect<Server extends object = Heard, Client extends object = Said>(
  url?: string,
): Socket<Server, Client>;

declare const Realtime: { connect: typeof connect };
export default Realtime;
