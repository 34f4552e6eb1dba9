/** Plays a video with what the browser has: hls.js, its own HLS, or one progressive file. */

/**
 * @typedef {object} Playback
 * @property {{value: string, label: string}[]} choices of quality; empty: nothing to choose
 * @property {(value: string) => void} choose
 * @property {string} [chosen] at the beginning; else the first
 */

const AUTO = "auto";

/**
 * Give a <video> element its source.
 *
 * @param {HTMLVideoElement} element
 * @param {any} video as the API gives it, ready
 * @param {{autoLabel: string, onLevel: (name: string) => void}} options
 * @returns {Promise<Playback>}
 */
export async function play(element, video, { autoLabel, onLevel }) {
  const auto = { value: AUTO, label: autoLabel };
  const Hls = video.playlist_url && "MediaSource" in window ? await loadHls() : null;
  if (Hls?.isSupported()) return withHls(Hls, element, video, auto, onLevel);
  if (video.playlist_url && element.canPlayType("application/vnd.apple.mpegurl")) {
    return natively(element, video, auto);
  }
  return progressively(element, video);
}

/** Only where it is needed: it is by far the largest script of the page. */
async function loadHls() {
  try {
    return (await import("../vendor/hls.js/hls.min.mjs")).default;
  } catch {
    return null; // not there: the browser's own means have to do
  }
}

function withHls(Hls, element, video, auto, onLevel) {
  return new Promise((resolve) => {
    const hls = new Hls({
      capLevelToPlayerSize: true, // more pixels than are shown only cost
      enableWorker: false, // fMP4 goes through as it is; and a worker from a blob: would loosen the page's policy
    });
    const fallBack = () => {
      hls.destroy();
      resolve(progressively(element, video));
    };
    // Not before a piece is there: hls.js 1.7.4 stops for good if the level changes while the first is on its way.
    const begun = (_event, { frag }) => {
      if (frag.type !== "main") return;
      hls.off(Hls.Events.FRAG_BUFFERED, begun);
      const levels = hls.levels.map((level, index) => ({ value: String(index), label: nameOf(level) }));
      const choose = (value) => (hls.currentLevel = value === AUTO ? -1 : Number(value));
      resolve({ choices: levels.length > 1 ? [auto, ...levels.reverse()] : [], choose });
    };
    hls.on(Hls.Events.FRAG_BUFFERED, begun);
    hls.on(Hls.Events.LEVEL_SWITCHED, (_event, { level }) => onLevel(nameOf(hls.levels[level])));
    hls.on(Hls.Events.ERROR, mender(Hls, hls, fallBack));
    hls.loadSource(video.playlist_url);
    hls.attachMedia(element);
  });
}

/** What hls.js could not mend itself: the line is asked again, the decoder reset once; after that, the plain file. */
function mender(Hls, hls, fallBack) {
  let resets = 0;
  return (_event, data) => {
    if (!data.fatal) return;
    const loaded = hls.levels.length > 0;
    if (data.type === Hls.ErrorTypes.NETWORK_ERROR && loaded) setTimeout(() => hls.startLoad(), 2000);
    else if (data.type === Hls.ErrorTypes.MEDIA_ERROR && resets++ < 1) hls.recoverMediaError();
    else fallBack();
  };
}

/** A level is called after its short side, as the renditions are. */
function nameOf({ width, height }) {
  return `${Math.min(width, height)}p`;
}

function natively(element, video, auto) {
  element.src = video.playlist_url;
  const rungs = video.renditions.map((rung) => ({ value: rung.name, label: rung.name }));
  const choose = (value) => {
    const rung = video.renditions.find(({ name }) => name === value);
    switchTo(element, rung?.url ?? video.playlist_url);
  };
  return { choices: rungs.length > 1 ? [auto, ...rungs] : [], choose };
}

function progressively(element, video) {
  const fitting = video.renditions.find(({ height }) => height <= screen.height * devicePixelRatio);
  const first = fitting ?? video.renditions.at(-1);
  if (first) element.src = first.url;
  const rungs = video.renditions.map((rung) => ({ value: rung.name, label: rung.name }));
  const choose = (value) => switchTo(element, video.renditions.find(({ name }) => name === value)?.url);
  return { choices: rungs.length > 1 ? rungs : [], choose, chosen: first?.name };
}

/** Another file, at the same place. */
function switchTo(element, url) {
  if (!url) return;
  const { currentTime, paused } = element;
  element.src = url;
  element.currentTime = currentTime;
  if (!paused) element.play();
}
