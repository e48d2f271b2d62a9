import type { Envelope, Heard, OwnEvents, Said, Socket, Status, Subscription } from "./index.js";

export function useSocket<Server extends object = Heard, Client extends object = Said>(
  url?: string,
): Socket<Server, Client> | null;

export function useEvent<Server extends object, Client extends object, Name extends keyof Server & string>(
  socket: Socket<Server, Client> | null,
  type: Name,
  listener: (message: Server[Name], envelope: Envelope) => unknown,
): void;

export function useChannel(
  socket: Socket<any, any> | null,
  channel: string | null | undefined,
  options?: Subscription,
): void;

export function useStatus(socket: Socket<any, any> | null): Status;

export type { OwnEvents };
