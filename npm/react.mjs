/* Hooks: a socket for as long as a component is there, and what it hears. */
import { useEffect, useRef, useState } from "react";

import { connect } from "./index.mjs";

/** A socket that is closed with the component; null in the first rendering, and on a server. */
export function useSocket(url) {
  const [socket, setSocket] = useState(null);
  useEffect(() => {
    const opened = connect(url);
    setSocket(opened);
    return () => opened.close();
  }, [url]);
  return socket;
}

/** Calls a function with each such event; always the newest function. */
export function useEvent(socket, type, listener) {
  const newest = useRef(listener);
  newest.current = listener;
  useEffect(() => {
    if (!socket) return undefined;
    const hear = (message, envelope) => newest.current(message, envelope);
    socket.on(type, hear);
    return () => socket.off(type, hear);
  }, [socket, type]);
}

/** Hears a channel for as long as the component is there. The options of the first time hold. */
export function useChannel(socket, channel, options) {
  const first = useRef(options);
  useEffect(() => {
    if (!socket || !channel) return undefined;
    socket.subscribe(channel, first.current);
    return () => socket.unsubscribe(channel);
  }, [socket, channel]);
}

/** "connecting", "open", "waiting" or "closed". */
export function useStatus(socket) {
  const [status, setStatus] = useState(socket ? socket.status : "connecting");
  useEffect(() => {
    if (socket) setStatus(socket.status);
  }, [socket]);
  useEvent(socket, "status", ({ state }) => setStatus(state));
  return status;
}
