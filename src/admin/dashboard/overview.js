/*
 * overview: the head of the page, what is wrong now, and the figures of now. All from /v1/status.
 */
const TILES = [
    {
        name: 'Requests a second',
        value: s => rateText(s.rates.requests),
        more: s => `${rateText(s.rates.unmatched)} match no rule`,
        spark: h => h.allowed.map((value, i) => (value === null ? null : value + h.refused[i])),
        word: 'allowed',
    },
    {
        name: 'Refused a second',
        value: s => rateText(s.rates.refused),
        more: s => `${shareText(s.rates.refused, s.rates.requests)} of all`,
        spark: h => h.refused,
        word: 'refused',
    },
    {
        name: 'Near their limit',
        value: s => rateText(s.rates.near_limit),
        more: () => 'a second; less than 1/5 left',
        spark: h => h.near_limit,
        word: 'near',
    },
    {
        name: 'Latency, p99',
        value: s => microsText(s.latency?.p99_us),
        more: s => `median ${microsText(s.latency?.p50_us)}`,
        spark: h => h.p99_us,
        word: 'plain',
    },
    {
        name: 'Redis, p99',
        value: s => microsText(s.redis_latency?.p99_us),
        more: s => `median ${microsText(s.redis_latency?.p50_us)}`,
        spark: h => h.redis_p99_us,
        word: 'redis',
        isFor: s => s.store.kind === 'redis',
    },
    {
        name: 'Degraded a second',
        value: s => rateText(s.rates.degraded),
        more: () => 'decided without Redis',
        spark: h => h.degraded,
        word: 'degraded',
        isFor: s => s.store.kind === 'redis',
    },
    {
        name: 'Keys in memory',
        value: s => countText(s.memory.entries),
        more: s => `of ${countText(s.memory.entries_max)}; ${countText(s.memory.evictions)} evicted`,
        isFor: s => s.store.kind === 'memory',
    },
    {
        name: 'Connections',
        value: s => countText(s.connections.open),
        more: s => `of ${countText(s.connections.max)}`,
    },
];

function beginTiles() {
    for (const tile of TILES) {
        tile.shown = make('dd', {}, NONE);
        tile.note = make('dd', { class: 'note' });
        tile.line = tile.spark ? makeSpark() : null;
        tile.place = make(
            'div',
            { class: tile.word || 'plain' },
            make('dt', {}, tile.name),
            tile.shown,
            tile.note,
            tile.line,
        );
        byId('tiles').append(tile.place);
    }
}

function showTiles(status) {
    for (const tile of TILES) {
        show(tile.place, !tile.isFor || tile.isFor(status));
        if (tile.place.hidden) continue;
        say(tile.shown, tile.value(status));
        say(tile.note, tile.more(status));
    }
}

const showSparks = series => TILES.forEach(tile => tile.spark && drawSpark(tile.line, tile.spark(series)));

function showNode({ node, version, now }) {
    const up = durationText(moment(now) - moment(node.since));
    say(byId('node'), `${node.host} · ${shortId(node.id)} · ${version} · up ${up}`);
    document.title = `${node.host} · ratelimitd`;
}

/* Of the link: its words, and an alert where it is not live. */
const LINK_WORDS = { connecting: 'Connecting', live: 'Live', gone: 'No answer', locked: 'Locked' };
const LOCKED = 'This service shows nothing without its token. Press Token to enter it.';

function showLink() {
    say(byId('link-text'), LINK_WORDS[link.state]);
    byId('link').className = link.state;
    showAlert('link', link.state === 'gone' ? goneText() : link.state === 'locked' ? LOCKED : '', 'bad');
}

function goneText() {
    const last =
        link.heard === null
            ? 'It has not answered yet.'
            : `All figures are those of ${clockText(link.heard / 1000)}.`;
    return `The service does not answer. ${last} It is asked again every few seconds.`;
}

/* One line a matter; an empty text takes it away. Screen readers say it when it changes. */
function showAlert(matter, text, word) {
    const name = `alert-${matter}`;
    const line = byId(name);
    if (text === '') {
        line?.remove();
        return;
    }
    if (line === null) byId('alerts').append(make('p', { id: name, class: `alert ${word}` }, text));
    else say(line, text);
}

function storeAlert({ kind, state, workers, changes }) {
    if (state === 'ready') return '';
    const since = changes.map(({ at }) => moment(at)).reduce((a, b) => Math.max(a, b), 0);
    const without = workers.connecting + workers.lost;
    const part = workers.ready > 0 ? ` for ${without} of ${workers.ready + without} workers` : '';
    const when = since > 0 ? ` since ${momentText(since)}` : '';
    const name = kind === 'redis' ? 'Redis' : 'The store';
    return `${name} is away${part}${when}. Each rule decides by its on_store_failure.`;
}

function reloadAlert(reloads) {
    const last = reloads.reduce((a, b) => (a !== null && moment(a.at) > moment(b.at) ? a : b), null);
    if (last === null || last.ok) return '';
    return `The rules were not read at ${momentText(moment(last.at))}: they have mistakes, see Reloads.`;
}

function showStatus({ status, data, problem }) {
    if (status !== 200) {
        showAlert('status', problem, 'bad');
        return;
    }
    showAlert('status', '', 'bad');
    showAlert('store', storeAlert(data.store), 'bad');
    showAlert('rules', reloadAlert(data.reloads), 'warn');
    showNode(data);
    showTiles(data);
    showStore(data);
    showNodes(data.nodes);
    showReloads(data.reloads);
    rulesLoaded(data.rules.loaded);
}
