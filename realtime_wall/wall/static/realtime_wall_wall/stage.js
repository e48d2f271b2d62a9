/* The page of the wall is a stage: what its director says is done at once, and named screens confirm it.
 *
 * His state is one object. The page is written with it, hears each change, and reads it again after a gap.
 */
(function (root) {
  "use strict";

  const Frame = root.WallFrame;
  const page = document.documentElement;
  const SINGLE = ["spotlight", "ticker"]; // layouts that show one post at a time
  const SECOND = 1000;
  const FRESH = 5000; // milliseconds, in which what was asked for is still wanted
  const LONG = 60; // characters, beyond which a message is written smaller
  /** @type {(selector: string) => any} */
  const find = (selector) => document.querySelector(selector);

  class Stage {
    /** @param {Words} words @param {OnStage} wall */
    constructor(words, wall) {
      this._words = words;
      this._wall = wall;
      this._state = words.director;
      this._look = { ...words.look, ...words.asked };
      /** @type {Directing["slide"]} */
      this._slide = null; // that the director has asked for last
      this._isHeld = false;
      const hold = (/** @type {boolean} */ held) => this._hold(held);
      this._slides = find(".wall-message") && new root.WallSlides(words.slides, wall, hold, () => this._isFree());
      this._timer = 0; // while something runs out
    }

    /** An older state than the one that we have came late. @param {Directing} state */
    apply(state) {
      if (state.seq < this._state.seq) return;
      this._state = state;
      page.dataset.paused = state.paused ? "yes" : "no";
      this._lay();
      this._showSlide(state);
      this._draw();
      this._direct();
    }

    /** The organiser has changed how it looks; what this page's address asks for stays. @param {Look} look */
    dress(look) {
      this._look = { ...look, ...this._words.asked };
      this._words.card.badges = this._look.badges;
      root.WallLook.dress(this._look);
      this._lay();
    }

    /* Behind what covers them posts do not go by unseen. */
    _direct() {
      const { at, post, paused, blank, speed } = this._state;
      this._wall.direct({ at, post, speed, paused: paused || blank || this._isSpeaking() });
    }

    _isSpeaking() {
      const { message } = this._state;
      return message !== null && !(message.until && message.until <= this._wall.now());
    }

    /** While a slide is shown. @param {boolean} held */
    _hold(held) {
      this._isHeld = held;
      this._cover();
      this._wall.hold(held);
    }

    _cover() {
      page.dataset.covered = this._isHeld || this._isSpeaking() ? "yes" : "no";
    }

    /** @param {Slide[]} slides */
    setSlides(slides) {
      if (this._slides) this._slides.set(slides);
    }

    _isFree() {
      const { blank, paused } = this._state;
      const isResting = page.dataset.resting === "yes";
      return !blank && !paused && !isResting && !this._isSpeaking() && document.visibilityState === "visible";
    }

    /** At once, and once: a page that opens later does not show it again. @param {Directing} state */
    _showSlide({ slide, blank }) {
      const isNew = slide && (!this._slide || slide.at !== this._slide.at);
      this._slide = slide;
      if (!this._slides) return;
      if (blank) this._slides.end();
      else if (isNew && this._wall.now() - slide.at < FRESH) this._slides.show(slide.id);
    }

    _lay() {
      const { least, seconds, quiet } = this._look;
      const layout = this._state.layout || this._look.layout;
      page.dataset.layout = layout;
      this._wall.set({ least, seconds, quiet, single: SINGLE.includes(layout) });
    }

    /* What lies over the posts, or beside them, for as long as it does. */
    _draw() {
      clearTimeout(this._timer);
      const { blank, message, countdown } = this._state;
      const now = this._wall.now();
      page.dataset.blank = blank ? "yes" : "no";
      this._cover();
      show(".wall-message", message && this._isSpeaking() ? message.text : "");
      show(".wall-countdown-word", countdown ? countdown.text : "");
      show(".wall-countdown-left", countdown ? clockOf(countdown.until - now) : "");
      const again = () => {
        const spoke = Boolean(message) && !find(".wall-message").hidden;
        this._draw();
        if (spoke && !this._isSpeaking()) this._direct();
      };
      const [left, spoken] = [(countdown?.until ?? 0) - now, (message?.until ?? 0) - now];
      if (left > 0) this._timer = setTimeout(again, ((left - 1) % SECOND) + 1);
      else if (spoken > 0) this._timer = setTimeout(again, spoken);
    }
  }

  /** @param {string} selector @param {string} words */
  function show(selector, words) {
    const place = find(selector);
    if (!place) return;
    if (place.textContent !== words) place.textContent = words;
    place.dataset.length = words.length > LONG ? "long" : "short";
    place.hidden = !words;
  }

  /** 1:05:09, or 5:09; at the end 0:00. @param {number} milliseconds */
  function clockOf(milliseconds) {
    const left = Math.max(0, Math.ceil(milliseconds / SECOND));
    const [hours, minutes, seconds] = [Math.floor(left / 3600), Math.floor(left / 60) % 60, left % 60];
    const two = (/** @type {number} */ number) => String(number).padStart(2, "0");
    return hours ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
  }

  async function start() {
    const list = find(".wall-posts");
    /** @type {Words} */
    const words = Frame.readConfig("wall-config");
    const kept = new root.WallKept.KeptPosts(words);
    const wall = new root.Wall(list, words, kept, (state, { down }) => {
      root.WallNetwork.setDown(down, words.status);
      stage.apply(state);
    });
    const stage = new Stage(words, wall);
    stage.apply(words.director);
    root.WallNetwork.setDown(words.down, words.status);
    Frame.watchPictures(list);
    new root.WallFit(list);
    Frame.startSwitch();
    Frame.startClock();
    if (list.dataset.kept !== undefined) await wall.goOn();
    else root.WallKept.keepPage(words);
    kept.fill();
    Frame.startRest(wall);
    const announcer = new Frame.Announcer(words.fresh);
    /** @param {(one: OnStage | KeptPosts) => void} react */
    const both = (react) => [kept, wall].forEach(react); // first of all it is not kept any more
    const socket = root.WallNetwork.subscribe(words, list, {
      tweet: (post) => {
        both((one) => one.receive(post));
        announcer.add(1, `${post.author_name || post.author_username}: ${post.text}`);
      },
      tweet_changed: (post) => both((one) => one.change(post)),
      tweet_removed: (post) => both((one) => one.remove(root.WallQueue.keyOf(post))),
      tweet_pinned: ({ key }) => both((one) => one.pin(key)),
      wall_directed: (state) => [kept.direct(state), stage.apply(state)],
      wall_slides: (slides) => {
        stage.setSlides(slides);
        words.slides = slides;
        root.WallKept.keepPage(words);
      },
      wall_sources: ({ down }) => root.WallNetwork.setDown(down, words.status),
      wall_look: (look) => {
        stage.dress(look);
        root.WallKept.keepPage(words);
      },
      gap: () => wall.readAgain(),
    });
    root.wallOnStage = wall; // the remote's preview of this page is asked what is on
    // A screen of the event has a name, and confirms what its moderators decide.
    const screen = new URLSearchParams(root.location.search).get("screen");
    if (!screen) return;
    root.WallNetwork.comeBackSoon(socket, words.worker);
    socket.on("wall_check", (check) => ({ screen, left: wall.left(check) }));
    socket.subscribe(words.screens);
  }

  start();
})(globalThis);
