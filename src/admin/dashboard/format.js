/*
 * format: numbers, durations and moments as people read them. null is a dash: not known, or nothing to
 * measure.
 */
const NONE = '–';

/* Three digits that mean something: 0.3, 47, 1.24k. */
function rateText(value) {
    if (value === null || value === undefined) return NONE;
    if (value < 9.95) return value === 0 ? '0' : value < 0.1 ? '<0.1' : value.toFixed(1);
    if (value < 999.5) return value.toFixed(0);
    for (const [unit, letter] of [
        [1e9, 'G'],
        [1e6, 'M'],
        [1e3, 'k'],
    ])
        if (value >= unit * 0.9995) return (value / unit).toPrecision(3) + letter;
    return NONE;
}

const countText = value => (value === null || value === undefined ? NONE : value.toLocaleString('en'));

function shareText(part, whole) {
    if (!whole) return NONE;
    const percent = (100 * part) / whole;
    return percent === 0 ? '0 %' : percent < 0.1 ? '<0.1 %' : percent.toFixed(percent < 9.95 ? 1 : 0) + ' %';
}

function microsText(us) {
    if (us === null || us === undefined) return NONE;
    const [value, unit] = us < 999.5 ? [us, 'µs'] : us < 999500 ? [us / 1e3, 'ms'] : [us / 1e6, 's'];
    return (value < 9.95 && unit !== 'µs' ? value.toFixed(1) : value.toFixed(0)) + ' ' + unit;
}

function durationText(s) {
    for (const [unit, letter] of [
        [86400, 'd'],
        [3600, 'h'],
        [60, 'min'],
    ])
        if (s >= 2 * unit) return Math.floor(s / unit) + ' ' + letter;
    return Math.max(0, Math.floor(s)) + ' s';
}

const millisText = ms => durationText(Math.ceil(ms / 1000));

/* Seconds of Unix time, from those or from text of ISO 8601. */
const moment = at => (typeof at === 'number' ? at : Date.parse(at) / 1000);

const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const CLOCK_SHORT = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });

const clockText = (s, format = CLOCK) => (Number.isFinite(s) ? format.format(s * 1000) : NONE);

/* With the day, if it was another one. */
function momentText(s, now = Date.now() / 1000) {
    const isToday = new Date(s * 1000).toDateString() === new Date(now * 1000).toDateString();
    return Number.isFinite(s) && !isToday ? DAY.format(s * 1000) + ' ' + clockText(s) : clockText(s);
}

/* Of a node: enough to tell it from others. */
const shortId = id => id.slice(0, 8);

/* One limit of a rule, as in /v1/rules. */
function limitText(limit) {
    return limit.capacity !== undefined
        ? `${countText(limit.capacity)}, then ${limit.refill_rate}`
        : `${countText(limit.limit)} / ${limit.window}`;
}

const limitsText = limits => limits.map(limitText).join(' + ');
