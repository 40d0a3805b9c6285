/*
 * lists: the store and its history, the nodes, the reloads, and the clients that are changed at run time.
 */
const STATE_WORDS = { ready: 'good', connecting: 'warn', lost: 'bad' };
const stateWord = state => STATE_WORDS[state] ?? 'warn';

/* What a list says when there is nothing in it; hidden until an answer says so. */
function emptyNote(list, text) {
    const note = make('p', { class: 'note', hidden: '' }, text);
    list.after(note);
    return note;
}

/* The store. Its history as a strip: the same span of time as the charts. */
const STRIP_WIDTH = 1000;

function stripOf(changes, from, until, state) {
    const sorted = [...changes].sort((a, b) => moment(a.at) - moment(b.at));
    const before = sorted.filter(({ at }) => moment(at) <= from).at(-1);
    const marks = [
        { at: from, state: before?.state ?? null },
        ...sorted
            .filter(({ at }) => moment(at) > from && moment(at) < until)
            .map(({ at, state }) => ({ at: moment(at), state })),
    ];
    const x = at => ((at - from) / (until - from)) * STRIP_WIDTH;
    return marks
        .map((mark, i) => {
            const to = i + 1 < marks.length ? marks[i + 1].at : until;
            const word = mark.state ?? (marks.length === 1 && sorted.length === 0 ? state : null);
            return word === null
                ? null
                : { x: x(mark.at), width: Math.max(6, x(to) - x(mark.at)), word: stateWord(word) };
        })
        .filter(piece => piece !== null);
}

const store = {};

function beginStore() {
    store.strip = makeSvg('svg', {
        class: 'strip',
        viewBox: `0 0 ${STRIP_WIDTH} 10`,
        preserveAspectRatio: 'none',
        'aria-hidden': 'true',
    });
    store.facts = make('dl', { class: 'counts' });
    store.list = make('ul', { class: 'plain events' });
    byId('store').append(store.strip, store.facts, store.list);
    store.none = emptyNote(store.list, 'No change yet.');
}

function fillFact(place, [name, value]) {
    say(place.firstChild, name);
    say(place.lastChild, value);
}

const factRow = () => make('div', {}, make('dt'), make('dd'));

function showStore({ store: now, latency, redis_latency, memory }) {
    say(byId('store-note'), `${now.kind}, ${now.state}`);
    byId('store-note').className = `note state ${stateWord(now.state)}`;
    const workers = Object.entries(now.workers).filter(([state, count]) => count > 0 || state === 'ready');
    const facts = workers.map(([state, count]) => [`Workers ${state}`, countText(count)]);
    for (const [name, text] of now.kind === 'redis'
        ? [
              ['p50', 'p50'],
              ['p99', 'p99'],
              ['p999', 'p99.9'],
          ]
        : [])
        facts.push([text, microsText(redis_latency?.[`${name}_us`])]);
    if (now.kind === 'memory')
        facts.push(['Keys', countText(memory.entries)], ['Evicted', countText(memory.evictions)]);
    fillRows(store.facts, facts, factRow, fillFact);
    const changes = [...now.changes].sort((a, b) => moment(b.at) - moment(a.at));
    fillRows(store.list, changes, eventRow, (row, { at, state, reason }) =>
        fillEvent(row, { at, word: stateWord(state), name: state, text: reason ?? '' }),
    );
    show(store.none, changes.length === 0);
    const until = traffic.until ?? moment(changes[0]?.at ?? 0),
        from = traffic.from ?? until - 900;
    const pieces = stripOf(changes, from, until, now.state);
    fillRows(
        store.strip,
        pieces,
        () => makeSvg('rect', { y: 0, height: 10 }),
        (rect, { x, width, word }) => {
            rect.setAttribute('x', x);
            rect.setAttribute('width', width);
            rect.setAttribute('class', word);
        },
    );
}

/* A moment, a word that is good or bad, and what was said. */
function eventRow() {
    const when = make('time'),
        name = make('b'),
        text = make('bdi'),
        more = make('ul');
    return Object.assign(make('li', {}, when, name, text, more), { when, name, text, more });
}

function fillEvent(row, { at, word, name, text, more = [] }) {
    say(row.when, momentText(moment(at)));
    say(row.name, name);
    row.name.className = `state ${word}`;
    say(row.text, text);
    fillRows(
        row.more,
        more,
        () => make('li', {}, make('bdi')),
        (line, said) => say(line.firstChild, said),
    );
}
const reloads = {};
function beginReloads() {
    reloads.list = make('ul', { class: 'plain events' });
    byId('reloads').append(reloads.list);
    reloads.none = emptyNote(reloads.list, 'None since the service started.');
    byId('reload').addEventListener('click', async () => {
        const { status, data, problem } = await change('/v1/rules/reload', null);
        tell(status === 200 ? `The rules were read again: ${data.summary}.` : problem, status !== 200);
        rules.poll.now();
    });
}

function showReloads(list) {
    const last = [...list].sort((a, b) => moment(b.at) - moment(a.at));
    fillRows(reloads.list, last, eventRow, (row, { at, ok, text, mistakes }) =>
        fillEvent(row, {
            at,
            word: ok ? 'good' : 'bad',
            name: ok ? 'done' : 'mistakes',
            text,
            more: mistakes ?? [],
        }),
    );
    show(reloads.none, last.length === 0);
}

/* The nodes that share the store. One that is silent fades, and after a minute the service forgets it. */
const nodes = {};
const SILENT_S = 5;

function beginNodes() {
    nodes.body = make('tbody');
    const head = headOf([
        ['Node'],
        ['Store'],
        ['Requests/s', 'number'],
        ['Refused/s', 'number'],
        ['Seen', 'number'],
    ]);
    byId('nodes').append(make('table', { 'aria-labelledby': 'nodes-title' }, head, nodes.body));
}

function nodeRow() {
    const cells = [
        make('th', { scope: 'row' }, make('bdi'), make('span', { class: 'note' })),
        make('td'),
        ...[0, 1, 2].map(() => make('td', { class: 'number' })),
    ];
    return make('tr', {}, ...cells);
}

function fillNode(row, { node, isSelf }) {
    const isSilent = !isSelf && node.seen_s_ago > SILENT_S;
    say(row.cells[0].firstChild, node.host);
    say(row.cells[0].lastChild, ` ${shortId(node.id)}, ${node.version}`);
    say(row.cells[1], node.store);
    row.cells[1].className = `state ${stateWord(node.store)}`;
    say(row.cells[2], isSilent ? NONE : rateText(node.requests));
    say(row.cells[3], isSilent ? NONE : rateText(node.refused));
    say(row.cells[4], isSelf ? 'this one' : isSilent ? `${durationText(node.seen_s_ago)} ago` : 'now');
    row.classList.toggle('silent', isSilent);
}

function showNodes(list) {
    const silent = list.filter(({ seen_s_ago }, i) => i > 0 && seen_s_ago > SILENT_S).length;
    say(
        byId('nodes-note'),
        list.length === 1 ? 'only this one' : `${list.length}` + (silent > 0 ? `, ${silent} silent` : ''),
    );
    fillRows(
        nodes.body,
        list.map((node, i) => ({ node, isSelf: i === 0 })),
        nodeRow,
        fillNode,
    );
}

/* Clients that are blocked or limited at run time. */
const changed = {};
const CHANGED_ROWS = 50;

function changedRow() {
    const name = make('bdi'),
        what = make('span', { class: 'note' });
    const row = make(
        'li',
        { class: 'line' },
        name,
        what,
        make('span', { class: 'spring' }),
        button('Restore', () => restore(row.item.client, row.item.rule ?? null), { class: 'small' }),
    );
    return Object.assign(row, { name, what });
}

function treatmentText(treatment) {
    const { limits, ...own } = treatment;
    return treatment === 'blocked'
        ? 'blocked'
        : limits
          ? limitsText(limits)
          : Object.entries(own)
                .map(([name, value]) => `${name} ${plainText(value)}`)
                .join(', ');
}

function fillChanged(row, item) {
    row.item = item;
    say(row.name, item.client);
    const where = `under ${item.rule ?? 'every rule'}, ${millisText(item.ends_after_ms)} more`;
    say(row.what, `${treatmentText(item.treatment)} ${where}`);
    row.lastChild.setAttribute('aria-label', `Restore ${item.client}`);
}

function showChanged({ status, data, problem }) {
    const list = status === 200 ? data.clients : [];
    fillRows(changed.list, list.slice(0, CHANGED_ROWS), changedRow, fillChanged);
    say(
        changed.none,
        status !== 200
            ? problem
            : list.length > CHANGED_ROWS
              ? `And ${countText(list.length - CHANGED_ROWS)} more.`
              : 'No client.',
    );
    show(changed.none, status !== 200 || list.length === 0 || list.length > CHANGED_ROWS);
}

function beginChanged() {
    changed.list = make('ul', { class: 'plain changed' });
    byId('changed').append(changed.list);
    changed.none = emptyNote(changed.list, 'No client.');
    changed.poll = new Poll(
        () => '/v1/clients',
        () => 5000,
        showChanged,
    );
}
