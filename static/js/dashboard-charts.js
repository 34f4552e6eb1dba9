// The dashboard's charts, drawn by uPlot (a classic script: window.uPlot) in the colours of the page.

const HEIGHT = 190;
const HOUR = 3600;
const LIVE_SECONDS = 300;

/** The value of one of the page's colours, in the theme that is on. */
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const wash = (name, percent) => `color-mix(in srgb, ${colour(name)} ${percent}%, transparent)`;

/** Labels for points in time: hours, and the day where a new one begins. */
function timeLabels(language, withSeconds) {
  const hour = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const second = new Intl.DateTimeFormat(language, {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  });
  const day = new Intl.DateTimeFormat(language, { day: "numeric", month: "short" });
  return (_plot, splits) =>
    splits.map((seconds) => {
      const at = new Date(seconds * 1000);
      if (withSeconds) return second.format(at);
      return at.getHours() === 0 && at.getMinutes() === 0 ? day.format(at) : hour.format(at);
    });
}

/** A chart in a box: follows its width, and is drawn anew when the theme changes. */
export class Chart {
  constructor(box, describe) {
    this.box = box;
    this.describe = describe;
    this.plot = null;
    this.data = null;
    new ResizeObserver(() => this.fit()).observe(box);
  }

  show(data) {
    this.data = data;
    if (this.plot) this.plot.setData(data);
    else this.draw();
  }

  draw() {
    this.plot?.destroy();
    this.plot = null;
    if (!this.data || !this.box.clientWidth) return;
    const options = { ...frame(), ...this.describe(), width: this.box.clientWidth, height: HEIGHT };
    this.plot = new window.uPlot(options, this.data, this.box);
  }

  fit() {
    if (!this.plot) this.draw();
    else if (this.plot.width !== this.box.clientWidth) {
      this.plot.setSize({ width: this.box.clientWidth, height: HEIGHT });
    }
  }
}

function frame() {
  return {
    cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false } },
    legend: { live: true },
    padding: [10, 22, 0, 0],
  };
}

function axes(language, values, { withSeconds = false, size = 52, filter } = {}) {
  const shared = {
    stroke: colour("--body-quiet-color"),
    font: `12px ${getComputedStyle(document.body).fontFamily}`,
    ticks: { show: false },
  };
  return [
    { ...shared, grid: { show: false }, values: timeLabels(language, withSeconds), space: 70, size: 28 },
    {
      ...shared,
      grid: { stroke: colour("--dash-grid"), width: 1, ...(filter && { filter }) },
      values,
      size,
      ...(filter ? { filter, space: 20 } : { space: 36 }),
    },
  ];
}

function moment(language, withSeconds = false) {
  const options = withSeconds ? { timeStyle: "medium" } : { dateStyle: "medium", timeStyle: "short" };
  const format = new Intl.DateTimeFormat(language, options);
  return { label: "", value: (_plot, seconds) => (seconds == null ? "" : format.format(new Date(seconds * 1000))) };
}

const whole = (_plot, splits) => splits.map((n) => (Number.isInteger(n) ? n.toLocaleString() : ""));

/** The number itself, or a dash where there is none. */
const number = (_plot, n) => (n == null ? "–" : n.toLocaleString());

const isPowerOfTen = (n) => Math.abs(Math.log10(n) - Math.round(Math.log10(n))) < 1e-6;

const fromNothing = (_plot, _low, high) => [0, Math.max(4, (high ?? 0) * 1.15)];

/** How many wait and are at work, while the page is open. */
export function now({ language, texts }) {
  const line = (label, name) => ({
    label,
    stroke: colour(name),
    fill: wash(name, 12),
    width: 2,
    points: { show: false },
    value: number,
  });
  return {
    scales: { x: { range: (_plot, _first, last) => [last - LIVE_SECONDS, last] }, y: { range: fromNothing } },
    axes: axes(language, whole, { withSeconds: true }),
    series: [
      moment(language, true),
      line(texts.waiting, "--dash-waiting"),
      line(texts.processing, "--dash-processing"),
    ],
  };
}

/** Ends by hour as bars that stand on one another, and what was submitted as a line. */
export function throughput({ language, texts, hours }) {
  const bars = window.uPlot.paths.bars({ size: [0.7, 40], align: 0, radius: 0.12 });
  // A bar is drawn from the ground up to its own and all those below: the highest first.
  const stacked = (label, name, below) => ({
    label,
    fill: colour(name),
    stroke: colour(name),
    width: 0,
    paths: bars,
    points: { show: false },
    value: (plot, sum, _series, index) =>
      sum == null || index == null ? "–" : (sum - (below ? plot.data[below][index] : 0)).toLocaleString(),
  });
  return {
    cursor: { ...frame().cursor, sync: { key: "hours" } },
    scales: { x: { range: (_plot, low, high) => [low - HOUR / 2, high + HOUR / 2] }, y: { range: fromNothing } },
    axes: axes(language, whole),
    series: [
      moment(language),
      stacked(texts.cancelled, "--dash-quiet", 2),
      stacked(texts.failed, "--dash-bad", 3),
      stacked(texts.completed, "--dash-good", 0),
      {
        label: texts.submitted,
        stroke: colour("--dash-processing"),
        width: 1.5,
        dash: [5, 4],
        points: { show: hours < 48, size: 4, fill: colour("--dash-processing") },
        value: number,
      },
    ],
  };
}

/** The share of jobs that completed, by hour. */
export function success({ language, texts, hours }) {
  return {
    cursor: { ...frame().cursor, sync: { key: "hours" } },
    scales: { y: { range: [0, 104] } },
    axes: axes(language, (_plot, splits) => splits.map((n) => (n <= 100 ? `${n} %` : ""))),
    series: [
      moment(language),
      {
        label: texts.success,
        stroke: colour("--dash-good"),
        fill: wash("--dash-good", 10),
        width: 2,
        spanGaps: true,
        points: { show: hours < 48, size: 5, fill: colour("--dash-good") },
        value: (_plot, n) => (n == null ? "–" : `${n.toLocaleString(undefined, { maximumFractionDigits: 1 })} %`),
      },
    ],
  };
}

/** Median and 95th percentile of durations, by hour; the scale is logarithmic, as they go from instants to hours. */
export function durations({ language, texts, duration, hours }) {
  const line = (label, name, width) => ({
    label,
    stroke: colour(name),
    width,
    spanGaps: true,
    points: { show: hours < 48, size: 5, fill: colour(name) },
    value: (_plot, seconds) => duration(seconds),
  });
  return {
    cursor: { ...frame().cursor, sync: { key: "hours" } },
    scales: {
      y: {
        distr: 3,
        range: (_plot, low, high) =>
          low == null || high == null
            ? [0.01, 100]
            : [10 ** Math.floor(Math.log10(low * 0.99)), 10 ** Math.ceil(Math.log10(high * 1.01))],
      },
    },
    axes: axes(language, (_plot, splits) => splits.map((n) => (n == null ? "" : duration(n))), {
      size: 66,
      filter: (_plot, splits) => splits.map((n) => (isPowerOfTen(n) ? n : null)),
    }),
    series: [moment(language), line(texts.median, "--dash-processing", 2), line(texts.p95, "--dash-second", 2)],
  };
}
