/* realtime.js as an ES module: bundlers and Node find what it exports, a browser finds what it defines. */
import * as loaded from "./realtime.js";

const Realtime = loaded.default ?? globalThis.Realtime;

export const connect = Realtime.connect;
export default Realtime;
