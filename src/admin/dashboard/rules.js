/*
 * rules: the rules as they are (/v1/rules), with what each does now (/v1/rates). Of a table of 10 000 rules
 * only the rows that are in view exist.
 *
 * The order is by a column. It holds still while the pointer or the keyboard is in the table: what one is
 * about to press does not move away.
 */
const ROW_HEIGHT = 30,
    ROWS_AT_ONCE = 4;

const NO_RATES = {
    allowed: 0,
    refused: 0,
    near_limit: 0,
    shadow_refused: 0,
    candidate_refused: 0,
    degraded: 0,
};
const wouldRefuse = rates => rates.shadow_refused + rates.candidate_refused;

const RULE_COLUMNS = [
    { name: 'Rule', word: 'name', by: rule => rule.index },
    { name: 'Limits', word: 'limits', text: rule => rule.limitsText },
    {
        name: 'Allowed/s',
        word: 'number allowed',
        by: rule => -rule.rates.allowed,
        text: rule => rateText(rule.rates.allowed),
    },
    {
        name: 'Refused/s',
        word: 'number refused',
        by: rule => -rule.rates.refused,
        text: rule => rateText(rule.rates.refused),
    },
    {
        name: 'Near limit/s',
        word: 'number near',
        by: rule => -rule.rates.near_limit,
        text: rule => rateText(rule.rates.near_limit),
    },
    {
        name: 'Would refuse/s',
        word: 'number would',
        by: rule => -wouldRefuse(rule.rates),
        text: rule => (rule.shadow || rule.candidate ? rateText(wouldRefuse(rule.rates)) : ''),
    },
];

const rules = {
    all: [],
    byName: new Map(),
    shown: [],
    order: RULE_COLUMNS[3],
    filter: '',
    loaded: null,
    first: 0,
    changes: 0,
    most: 0,
};

function ruleRow() {
    const name = make('button', { type: 'button' });
    name.addEventListener('click', () => {
        focusOn(name.closest('tr').rule.name);
    });
    const cells = RULE_COLUMNS.map(({ word }) => make('td', { class: word }));
    cells[0] = make('th', { scope: 'row', class: 'name' }, name);
    cells[3].append(make('span'), make('i', { class: 'bar' }));
    const row = make('tr', {}, ...cells);
    Object.assign(row, { name });
    return row;
}

function fillRuleRow(row, rule, index) {
    row.rule = rule;
    row.drawn = rules.changes;
    row.dataset.index = index;
    row.setAttribute('aria-rowindex', index + 2);
    if (row.name.dataset.rule !== rule.name || row.tags !== rule.tags) {
        row.name.dataset.rule = rule.name;
        row.tags = rule.tags;
        row.name.replaceChildren(
            foreign(rule.name),
            ...rule.tags.map(tag => make('span', { class: 'tag' }, tag)),
        );
    }
    row.name.setAttribute('aria-pressed', focus.rule === rule.name);
    row.classList.toggle('chosen', focus.rule === rule.name);
    RULE_COLUMNS.forEach(({ text }, i) => {
        if (text) say(i === 3 ? row.cells[i].firstChild : row.cells[i], text(rule));
    });
    const part = rules.most > 0 ? rule.rates.refused / rules.most : 0;
    row.cells[3].lastChild.style.transform = `scaleX(${part.toFixed(3)})`;
}

/* Rows that leave the view at one end come in at the other, so that those in between stay as they are. */
function turnRows(body, by) {
    if (Math.abs(by) >= body.children.length) return;
    for (; by > 0; by--) body.append(body.firstElementChild);
    for (; by < 0; by++) body.prepend(body.lastElementChild);
}

/* The rows in view, and a few around them; blank space takes the place of the others. */
function drawRules() {
    const { scroll, body, above, below } = rules;
    const count = rules.shown.length;
    const room = Math.ceil(scroll.clientHeight / ROW_HEIGHT) + 3 * ROWS_AT_ONCE;
    const top = Math.floor(scroll.scrollTop / ROW_HEIGHT / ROWS_AT_ONCE) * ROWS_AT_ONCE - ROWS_AT_ONCE;
    const first = Math.max(0, Math.min(top, count - room));
    const slice = rules.shown.slice(first, first + room);
    const held = body.contains(document.activeElement) ? document.activeElement.dataset.rule : null;
    turnRows(body, first - rules.first);
    rules.first = first;
    fillRows(body, slice, ruleRow, () => {});
    slice.forEach((rule, i) => {
        const row = body.children[i];
        if (row.rule !== rule || row.drawn !== rules.changes) fillRuleRow(row, rule, first + i);
    });
    above.firstChild.style.height = `${first * ROW_HEIGHT}px`;
    below.firstChild.style.height = `${(count - first - slice.length) * ROW_HEIGHT}px`;
    if (held !== null && document.activeElement.dataset.rule !== held)
        ([...body.children].find(row => row.rule.name === held)?.name ?? scroll).focus({
            preventScroll: true,
        });
}

/* What rows say is new. */
function redrawRules() {
    rules.changes++;
    drawRules();
}

function sortRules() {
    const word = rules.filter.toLowerCase(),
        by = rules.order.by;
    const found = word === '' ? [...rules.all] : rules.all.filter(rule => rule.search.includes(word));
    rules.shown = found.sort((a, b) => by(a) - by(b) || a.index - b.index);
    rules.table.setAttribute('aria-rowcount', rules.shown.length + 1);
    say(
        byId('rules-note'),
        word === ''
            ? countText(rules.all.length)
            : `${countText(found.length)} of ${countText(rules.all.length)}`,
    );
    redrawRules();
}

const isTableHeld = () => rules.scroll.matches(':hover, :focus-within') && rules.shown.length > 0;

function showRates({ status, data }) {
    if (status !== 200) return;
    rules.all.forEach(rule => {
        rule.rates = NO_RATES;
    });
    rules.most = 0;
    for (const rates of data.rules) {
        const rule = rules.byName.get(rates.rule);
        if (rule !== undefined) rule.rates = rates;
        rules.most = Math.max(rules.most, rates.refused);
    }
    if (isTableHeld()) redrawRules();
    else sortRules();
    showRule();
}

function tagsOf(rule) {
    const tags = [];
    if (rule.shadow) tags.push('shadow');
    if (rule.candidate) tags.push('candidate');
    return tags;
}

function showRules({ status, data }) {
    if (status !== 200) return;
    const before = rules.byName;
    rules.all = data.rules.map((rule, index) => ({
        ...rule,
        index,
        tags: tagsOf(rule),
        limitsText: limitsText(rule.limits),
        rates: before.get(rule.name)?.rates ?? NO_RATES,
        search: `${rule.name} ${rule.match?.path ?? ''}`.toLowerCase(),
    }));
    rules.byName = new Map(rules.all.map(rule => [rule.name, rule]));
    if (focus.rule !== null && !rules.byName.has(focus.rule)) focusOn(focus.rule);
    sortRules();
    showRule();
}

/* Others are in force: they are asked for at once. */
function rulesLoaded(loaded) {
    if (rules.loaded !== null && rules.loaded !== loaded) rules.poll.now();
    rules.loaded = loaded;
}

function moveInRules(event) {
    const page = Math.floor(rules.scroll.clientHeight / ROW_HEIGHT) - 1,
        row = document.activeElement.closest('tbody tr');
    const now = row === null ? -1 : Number(row.dataset.index);
    const to = {
        ArrowDown: now + 1,
        ArrowUp: now - 1,
        PageDown: now + page,
        PageUp: now - page,
        Home: 0,
        End: rules.shown.length - 1,
    }[event.key];
    if (to === undefined || rules.shown.length === 0) return;
    event.preventDefault();
    const index = Math.max(0, Math.min(to, rules.shown.length - 1)),
        top = index * ROW_HEIGHT;
    const room = rules.scroll.clientHeight - 2 * ROW_HEIGHT;
    if (top < rules.scroll.scrollTop) rules.scroll.scrollTop = top;
    else if (top > rules.scroll.scrollTop + room) rules.scroll.scrollTop = top - room;
    drawRules();
    [...rules.body.children]
        .find(line => Number(line.dataset.index) === index)
        ?.name.focus({ preventScroll: true });
}

function orderBy(column) {
    rules.order = column;
    RULE_COLUMNS.forEach(({ head }, i) =>
        head.setAttribute(
            'aria-sort',
            RULE_COLUMNS[i] === column ? (i === 0 ? 'ascending' : 'descending') : 'none',
        ),
    );
    rules.scroll.scrollTop = 0;
    sortRules();
}

function beginRules() {
    const pad = () => make('tbody', { 'aria-hidden': 'true' }, make('tr', { class: 'pad' }, make('td')));
    for (const column of RULE_COLUMNS)
        column.head = make(
            'th',
            { scope: 'col', class: column.word },
            column.by ? button(column.name, () => orderBy(column)) : column.name,
        );
    rules.body = make('tbody');
    [rules.above, rules.below] = [pad(), pad()].map(section => section.firstChild);
    rules.table = make(
        'table',
        { 'aria-labelledby': 'rules-title' },
        make('thead', {}, make('tr', { 'aria-rowindex': '1' }, ...RULE_COLUMNS.map(({ head }) => head))),
        rules.above.parentNode,
        rules.body,
        rules.below.parentNode,
    );
    rules.scroll = make(
        'div',
        { class: 'scroll rules', tabindex: '0', role: 'group', 'aria-label': 'All rules' },
        rules.table,
    );
    byId('rules').append(rules.scroll);
    rules.scroll.addEventListener('scroll', () => requestAnimationFrame(drawRules), { passive: true });
    rules.scroll.addEventListener('keydown', moveInRules);
    new ResizeObserver(drawRules).observe(rules.scroll);
    byId('rules-filter').addEventListener('input', event => {
        rules.filter = event.target.value.trim();
        rules.scroll.scrollTop = 0;
        sortRules();
    });
    rules.poll = new Poll(
        () => '/v1/rules',
        () => 10000,
        showRules,
    );
    new Poll(
        () => '/v1/rates',
        () => 1000,
        showRates,
    );
    orderBy(rules.order);
    focus.changed.push(() => {
        redrawRules();
        showRule();
    });
}
