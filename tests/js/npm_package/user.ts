/* A user's code: what is wrong is expected to be an error, and nothing else is. */
import Realtime, { connect } from "realtime-wall";
import { useChannel, useEvent, useSocket, useStatus } from "realtime-wall/react";

interface ServerEvents {
  said: { name: string; text: string };
}
interface ClientEvents {
  say: { message: { text: string }; answer: boolean };
}

const socket = connect<ServerEvents, ClientEvents>();
socket.on("said", ({ name, text }, { cursor }) => name + text + cursor).on("status", ({ state }) => state);
socket.emit("say", { text: "Hello" }, (answer, error) => (answer === true ? null : error?.code));
socket.subscribe("lobby", { since: "e:1", onGap: () => location.reload() });
// @ts-expect-error: no such event
socket.on("sad", () => null);
// @ts-expect-error: no such field
socket.on("said", ({ nmae }) => nmae);
// @ts-expect-error: another type
socket.emit("say", { text: 5 });
// @ts-expect-error: an answer that is none
socket.emit("say", { text: "a" }, (answer: string | undefined) => answer);
Realtime.connect("/live/").on("anything", (message) => message.of.any.kind);

export function Component(): string {
  const live = useSocket<ServerEvents, ClientEvents>("/ws/");
  useChannel(live, "lobby");
  useEvent(live, "said", ({ text }) => text);
  // @ts-expect-error: no such event
  useEvent(live, "sad", () => null);
  return useStatus(live);
}
