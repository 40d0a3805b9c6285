/*
 * look: what is left to one client under each rule, and what can be done about it: reset, block, limit,
 * restore.
 */
const look = { client: null, poll: null, rows: null };
const LOOK_ROWS = 100;

function lookUp(client) {
    byId('look-client').value = client;
    look.client = client;
    look.poll.now();
    byId('look-title').scrollIntoView({
        block: 'nearest',
        behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth',
    });
}

/* The part that is left of the limit that has least left. */
const leastLeft = rule =>
    rule.blocked || rule.penalty_ms
        ? -1
        : rule.unlimited
          ? 2
          : rule.limits.reduce((least, { remaining, limit }) => Math.min(least, remaining / limit), 1);

function lookState(rule) {
    const words = [];
    if (rule.blocked) words.push('blocked');
    if (rule.unlimited) words.push('unlimited');
    if (rule.penalty_ms) words.push(`penalised for ${millisText(rule.penalty_ms)} more`);
    if (rule.override_ends_after_ms)
        words.push(`changed at run time, for ${millisText(rule.override_ends_after_ms)} more`);
    return words.join('; ');
}

function gaugeRow() {
    const fill = make('i'),
        text = make('span');
    const row = make(
        'div',
        { class: 'gauge', role: 'meter', 'aria-valuemin': '0' },
        make('span', { class: 'track' }, fill),
        text,
    );
    return Object.assign(row, { fill, text });
}

function fillGauge(row, { limit, remaining, reset_after_ms, rule }) {
    const part = limit > 0 ? remaining / limit : 0;
    row.fill.style.transform = `scaleX(${part.toFixed(4)})`;
    row.className = `gauge ${remaining === 0 ? 'none' : part < 0.2 ? 'low' : ''}`;
    const text =
        `${countText(remaining)} of ${countText(limit)} left` +
        (reset_after_ms > 0 ? `, full in ${millisText(reset_after_ms)}` : '');
    say(row.text, text);
    for (const [name, value] of [
        ['label', `Left under ${rule}`],
        ['valuemax', limit],
        ['valuenow', remaining],
        ['valuetext', text],
    ])
        row.setAttribute(`aria-${name}`, value);
}

function lookRow() {
    const name = make('h3'),
        state = make('p', { class: 'note' }),
        gauges = make('div');
    const row = make(
        'li',
        {},
        make(
            'div',
            { class: 'line' },
            name,
            make('span', { class: 'spring' }),
            button('Reset', () => reset(row.rule)),
            button('Limit', () => limit(row.rule)),
            button('Block', () => block(row.rule)),
        ),
        state,
        gauges,
    );
    row.querySelectorAll('button').forEach(one => one.classList.add('small'));
    return Object.assign(row, { name, state, gauges });
}

function fillLookRow(row, rule) {
    if (row.rule !== rule.rule) {
        row.rule = rule.rule;
        row.name.replaceChildren(foreign(rule.rule));
        row.querySelectorAll('button').forEach(one =>
            one.setAttribute('aria-label', `${one.textContent} under ${rule.rule}`),
        );
    }
    say(row.state, lookState(rule));
    show(row.state, row.state.textContent !== '');
    fillRows(
        row.gauges,
        rule.limits.map(of => ({ ...of, rule: rule.rule })),
        gaugeRow,
        fillGauge,
    );
}

function showLook({ status, data, problem }) {
    if (look.client === null) return;
    const found = status === 200 ? data.rules : [];
    const first = found.sort((a, b) => leastLeft(a) - leastLeft(b)).slice(0, LOOK_ROWS);
    show(look.head, status === 200);
    say(look.who, look.client);
    fillRows(look.rows, first, lookRow, fillLookRow);
    say(
        look.note,
        status !== 200
            ? problem
            : found.length > LOOK_ROWS
              ? `The ${LOOK_ROWS} rules with the least left, of ${countText(found.length)}.`
              : '',
    );
}

/* Says what was done, and asks again what is left. */
async function carryOut(path, body, done) {
    const { status, problem } = await change(path, body);
    tell(status === 200 ? done : problem, status !== 200);
    look.poll.now();
    changed.poll.now();
}

function reset(rule) {
    const body = resetOf(rule, look.client);
    if (body === null)
        tell('This client cannot be reset: it is a part of a path, a digest, or no text.', true);
    else carryOut('/v1/reset', body, `${look.client} is as new under ${rule}.`);
}

/* The name for a change at run time. Where there is none: null, after a message. */
function changedName() {
    const name = nameOf(look.client);
    if (name === null) tell('This client cannot be changed: it is of several sources, or no text.', true);
    return name;
}

const FOR_FIELD = { name: 'for', label: 'For how long, such as 30s, 10m, 2h or 1d', value: '10m' };

async function block(rule = null) {
    const client = changedName();
    const values =
        client === null
            ? null
            : await question({
                  title: `Block ${client}`,
                  yes: 'Block',
                  fields: [FOR_FIELD],
                  text:
                      rule === null
                          ? 'Under every rule, on every node.'
                          : `Under the rule ${rule}, on every node.`,
              });
    if (values !== null)
        carryOut(
            '/v1/clients/block',
            { client, ...(rule === null ? {} : { rule }), for: values.for },
            `${client} is blocked under ${rule ?? 'every rule'} for ${values.for}.`,
        );
}

/* A limit is changed in its number; its window or its refill stays. */
const numberOf = limit => (limit.capacity !== undefined ? 'capacity' : 'limit');

async function limit(rule) {
    const client = changedName(),
        limits = rules.byName.get(rule)?.limits ?? [];
    const values =
        client === null
            ? null
            : await question({
                  title: `Limit ${client}`,
                  yes: 'Limit',
                  fields: [
                      ...limits.map((of, i) => ({
                          name: `limit${i}`,
                          label: `Instead of ${limitText(of)}`,
                          type: 'number',
                          min: '1',
                          step: '1',
                          value: of[numberOf(of)],
                      })),
                      FOR_FIELD,
                  ],
                  text: `Under the rule ${rule}, on every node.`,
              });
    if (values === null) return;
    const own = limits.map(({ state, ...of }, i) => ({ ...of, [numberOf(of)]: Number(values[`limit${i}`]) }));
    carryOut(
        '/v1/clients/limit',
        { client, rule, limits: own, for: values.for },
        `${client} has limits of its own under ${rule} for ${values.for}.`,
    );
}

function restore(client, rule = null) {
    if (client !== null)
        carryOut(
            '/v1/clients/restore',
            { client, ...(rule === null ? {} : { rule }) },
            `${client} is as the rules say again.`,
        );
}

function beginLook() {
    look.who = make('strong');
    look.head = make(
        'div',
        { class: 'line', hidden: '' },
        make('bdi', {}, look.who),
        make('span', { class: 'spring' }),
        button('Restore', () => restore(changedName()), { class: 'small' }),
        button('Block everywhere', () => block(), { class: 'small' }),
    );
    look.note = make('p', { class: 'note' });
    look.rows = make('ul', { class: 'plain looked' });
    byId('look-result').append(look.head, look.note, look.rows);
    look.poll = new Poll(
        () => (look.client === null ? null : `/v1/clients/${encodeURIComponent(look.client)}`),
        () => 2000,
        showLook,
    );
    byId('look').addEventListener('submit', event => {
        event.preventDefault();
        lookUp(clientOf(byId('look-client').value));
    });
}
