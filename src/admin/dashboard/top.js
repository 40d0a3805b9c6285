/*
 * top: the clients with the most requests, refusals or cost, from /v1/analytics; of one rule, if the page is
 * about one.
 */
const top = { by: 'refusals', window: 'minute', poll: null };
const TOP_ROWS = 12;
const TOP_BY = [
    ['refusals', 'Refusals'],
    ['requests', 'Requests'],
    ['cost', 'Cost'],
];
const TOP_WINDOWS = [
    ['minute', '1 min'],
    ['hour', '1 h'],
    ['day', '1 d'],
];

const topPath = () =>
    `/v1/analytics?window=${top.window}&by=${top.by}&limit=${TOP_ROWS}` +
    (focus.rule === null ? '' : `&rule=${encodeURIComponent(focus.rule)}`);

function topRow() {
    const name = button('', () => lookUp(name.dataset.client));
    const cells = [
        make('th', { scope: 'row' }, name),
        make('td', { class: 'rule' }),
        ...TOP_BY.map(() => make('td', { class: 'number' })),
    ];
    const row = make('tr', {}, ...cells);
    return Object.assign(row, { name });
}

function fillTopRow(row, entry) {
    if (row.name.dataset.client !== entry.client) {
        row.name.dataset.client = entry.client;
        row.name.title = entry.client;
        row.name.replaceChildren(foreign(entry.client));
    }
    say(row.cells[1], entry.rule);
    TOP_BY.forEach(([by], i) => {
        say(row.cells[i + 2], countText(entry[by]));
        row.cells[i + 2].className = `number ${by === top.by ? 'by' : ''}`;
    });
}

function topNote({ total, sampled, error_bound, by, clients }) {
    if (clients.length === 0) return 'No client in this time.';
    const parts = [`Of ${countText(total)} ${by} under all rules`];
    if (error_bound > 0) parts.push(`each may have up to ${countText(error_bound)} more`);
    if (sampled < 1) parts.push(`${shareText(sampled, 1)} of the decisions were seen`);
    return parts.join('; ') + '.';
}

function showTop({ status, data, problem }) {
    const clients = status === 200 ? data.clients : [];
    fillRows(top.body, clients, topRow, fillTopRow);
    show(top.table, clients.length > 0);
    top.table.className = `${focus.rule === null ? '' : 'of-one'} by-${top.by}`;
    say(byId('top-note'), status === 200 ? topNote(data) : problem);
}

function beginTop() {
    top.body = make('tbody');
    const head = headOf([['Client'], ['Rule', 'rule'], ...TOP_BY.map(([, text]) => [text, 'number'])]);
    top.table = make('table', { 'aria-labelledby': 'top-title', hidden: '' }, head, top.body);
    byId('top').append(top.table);
    const poll = new Poll(topPath, () => 1000, showTop);
    choice(byId('top-by'), TOP_BY, top.by, word => {
        top.by = word;
        poll.now();
    });
    choice(byId('top-window'), TOP_WINDOWS, top.window, word => {
        top.window = word;
        poll.now();
    });
    focus.changed.push(() => poll.now());
}
