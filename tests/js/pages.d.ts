/* What the scripts of a page share, and what the server gives them. For tsc alone: no browser loads it. */

interface Entity {
  start: number;
  end: number;
  kind: "url" | "hashtag" | "mention" | "emoji";
  text: string;
  url: string;
}

interface Media {
  kind: "photo" | "video" | "gif";
  url: string;
  alt: string;
  width: number;
  height: number;
  film?: string;
}

interface Link {
  url: string;
  title: string;
  description?: string;
  picture?: string;
}

/* The flat object of realtime_wall/wall/post.py. */
interface Post {
  source: string;
  id: string;
  text: string;
  lang?: string;
  created_at: string;
  url?: string;
  author_id?: string;
  author_name?: string;
  author_username?: string;
  author_avatar?: string;
  author_url?: string;
  retweeted_by?: string;
  retweeted_by_username?: string;
  entities?: Entity[];
  media?: Media[];
  poll?: string[];
  link?: Link | null;
  edited?: boolean;
  passed_on?: number;
  longitude?: number;
  latitude?: number;
  place?: string;
}

/* What is drawn of a slide. */
interface Shown {
  name: string;
  text: string;
  picture: string;
  film: string;
}

/* stage/slides.py */
interface Slide extends Shown {
  id: number;
  seconds: number;
  every_posts: number;
  every_minutes: number;
  begins: number | null;
  ends: number | null;
}

/* stage/look.py */
interface Look {
  title: string;
  hashtag: string;
  logo: string;
  theme: string;
  left_out: string[];
  badges: Record<string, string>;
  number: number;
}

/* What happened while the server was asked. */
interface Noted {
  after: string;
  arrived: Set<string>;
  removed: Set<string>;
  changed: Map<string, Post>;
}

/* Of the queue: see its set(), and direct(). */
interface Rules {
  least: number;
  seconds: number;
  quiet: number;
  single: boolean;
}

interface Directed {
  at: number;
  post: string;
  paused: boolean;
  speed: number;
  held: boolean;
  resting: boolean;
}

/* stage/director.py */
interface Directing {
  seq: number;
  at: number;
  paused: boolean;
  blank: boolean;
  speed: number;
  layout: string;
  post: string;
  message: { text: string; until?: number | null } | null;
  countdown: { text: string; until: number } | null;
  slide: { id: number; at: number } | null;
}

interface Rota {
  set(slides: Slide[]): void;
  get(id: number): Slide | null;
  due(now: number, posts: number): Slide[];
}

/* posts.json */
interface PostsAnswer {
  posts: Post[];
  keys: string[];
  edited?: Post[];
  pinned?: Post | null;
  staged?: Post | null;
  director?: Directing;
  down?: boolean;
  now?: string;
  skew?: number;
  count: number;
}

/* Who is told what happens to posts: what is shown, and what is kept. */
interface KeptPosts {
  receive(post: Post): void;
  change(post: Post): void;
  remove(key: string): unknown;
  pin(key: string): void;
  direct(state: Directing): void;
  fill(): Promise<void>;
  read(): Promise<PostsAnswer | null>;
  take(answer: PostsAnswer, arrived?: Set<string>): void;
}

interface OnStage {
  readonly count: number;
  readonly current: string;
  receive(post: Post): void;
  change(post: Post): void;
  remove(key: string): void;
  pin(key: string): void;
  left(check: { gone: string[]; there: string[] }): number;
  set(rules: Rules): void;
  direct(state: Pick<Directing, "at" | "post" | "speed" | "paused">): void;
  hold(held: boolean): void;
  rest(resting: boolean): void;
  next(): string;
  back(): string;
  now(): number;
  goOn(): Promise<void>;
  readAgain(): Promise<void>;
}

/* script_config.py, and what a page adds to it. */
interface Words {
  channel: string;
  screens: string;
  posts: string;
  page: string;
  worker: string;
  report: string;
  now: string;
  card: Labels;
  status: Record<string, string>;
  [more: string]: any;
}

type Labels = Record<string, any>;

interface Display {
  page: string;
  number: number;
  key: string;
  from: number;
  to: number;
  visible: boolean;
}

interface DisplayStore {
  read(): Display[] | null;
  write(displays: Display[]): void;
}

interface DisplayLog {
  readonly isVisible: boolean;
  begin(key: string, now?: number): void;
  end(key: string, now?: number): void;
  endAll(): void;
  setVisible(isVisible: boolean): void;
  batch(): Display[];
  confirm(isTaken: boolean): boolean;
  save(): void;
}

interface Card {
  wallCard(post: Post, labels: Labels, now: number): HTMLElement;
  ago(created: string, labels: Labels, now: number): string;
  keyOf(post: { source: string; id: string }): string;
}

/* queries/desk.py */
interface DeskItem {
  key: string;
  state: string;
  was?: string;
  reason: string;
  show_at: string | null;
  by: string;
  post: Post;
}

interface DeskBan {
  id: number;
  name: string;
  source: string;
  everywhere: boolean;
  until: string | null;
  by: string;
}

/* moderation/desk_acts.py */
interface DeskAct {
  act: string;
  decided: { key: string; state: string }[];
  late: { key: string; state: string }[];
  pages: number;
}

interface DeskChange {
  act?: string;
  key?: string;
  token?: string;
}

interface DeskCards {
  current: string;
  readonly size: number;
  readonly hiddenSize: number;
  readonly chosen: number;
  clear(): void;
  has(key: string): boolean;
  meant(): DeskItem[];
  chooseAll(isChosen: boolean): void;
  put(item: DeskItem, where?: { atTheTop?: boolean; order?: number }): void;
  drop(key: string): number | undefined;
  move(steps: number): void;
  focus(): void;
  toggle(): void;
}

type RealtimeSocket = import("../../npm/index").Socket;

/* To events of a channel; and how to read the list again. */
type Reacting = { gap(): void } & Record<string, (message: any) => unknown>;

interface Frame {
  AT_THE_TOP: number;
  Announcer: new (words: string) => { add(number: number, sentence?: string): void };
  startRest(wall: { rest(isResting: boolean): void }): void;
  More: new (words: string, released: () => void) => { flash(number: number): void; hold(number: number): void };
  cardsOf(list: Element): HTMLElement[];
  placesIn(list: Element): number;
  takeOutBroken(element: Element): void;
  readConfig(id: string): any;
  keepTimes(list: Element, labels: Labels, now: () => number): void;
  addToCount(number: number): void;
  readCount(): number;
  startClock(): void;
  startSwitch(): void;
  watchPictures(list: Element): void;
}

interface Network {
  ask(address: string, options?: RequestInit, patience?: number): Promise<Response>;
  askUntil<Answer>(ask: () => Promise<Answer | null>, isWanted: () => boolean): Promise<Answer | null>;
  comeBackSoon(socket: RealtimeSocket, address: string): void;
  readJson(address: string): Promise<any>;
  setDown(isDown: boolean | undefined, words: Record<string, string>): void;
  statusReporter(words: Record<string, string>): (status: { state: string }) => void;
  subscribe(words: Words, list: HTMLElement, reacting: Reacting): RealtimeSocket;
}

/* What a page under a service worker, and the worker, see of each other. */
interface WorkerEvent extends Event {
  request: Request;
  data: { page: string; files: string[] };
  source: { postMessage(message: string): void };
  respondWith(answering: Promise<Response>): void;
  waitUntil(working: Promise<unknown>): void;
}

interface WorkerScope {
  registration: { scope: string };
  skipWaiting(): void;
  addEventListener(type: string, listener: (event: WorkerEvent) => void): void;
}

declare var module: { exports: unknown } | undefined;
declare function require(name: string): any;
declare var Realtime: { connect(url?: string, world?: object): RealtimeSocket };
declare var WallCard: Card;
declare var WallFrame: Frame;
declare var WallNetwork: Network;
declare var WallKept: {
  KeptPosts: new (words: Words) => KeptPosts;
  inTime<Answer>(answering: Promise<Answer>): Promise<Answer | null>;
  keepPage(words: Words): Promise<void>;
};
declare var WallDisplayLog: { DisplayLog: new (page: string, store: DisplayStore, clock?: () => number) => DisplayLog };
declare var WallQueue: { KEPT: number; Queue: any; keyOf: Card["keyOf"] };
declare var WallMotion: {
  makeRoom(list: HTMLElement, change: () => void, inRush?: boolean): void;
  Depth: new (list: HTMLElement) => { set(): void };
};
declare var WallFit: new (list: HTMLElement) => { soon(): void };
declare var WallFilms: new () => { show(card: Element | null | undefined): void; pause(isPaused: boolean): void };
declare var WallMissed: any;
declare var WallOlder: new (missed: any) => {
  readonly isRead: boolean;
  readonly keys: string[];
  get(key: string): Post | undefined;
  add(post: Post): void;
  change(post: Post): void;
  remove(key: string): void;
  forget(): void;
  read(): Promise<boolean>;
};
declare var Wall: new (
  list: HTMLElement,
  words: Words,
  kept: KeptPosts,
  directed: (state: Directing, answer: PostsAnswer) => void,
) => OnStage;
declare var WallLook: any;
declare var WallSlides: any;
declare var WallPreview: {
  fit(frame: HTMLIFrameElement): void;
  chosenPicture(field: HTMLInputElement | null): Promise<HTMLCanvasElement | null>;
};
declare var WallRota: new (slides: Slide[], now: number) => Rota;
declare var wallOnStage: OnStage | undefined;
declare var showProblems: (problems: { source: string; problem: string }[]) => void;
declare var DeskList: new (
  place: HTMLElement,
  words: Words,
  heard: { changed(): void; decide(action: string, items: DeskItem[]): void },
) => DeskCards;
declare var Desk: new (config: any) => any;
declare var deskElement: (tag: string, kind: string, words?: string) => any;
declare var MonitorTraffic: any;
