/*
 * rule: all that is known of the rule that the page is about: its terms, what it has counted, and what it
 * would do as a shadow or with its candidate.
 */
const MATCH_WORDS = { path: 'Path', methods: 'Methods', host: 'Hosts', headers: 'Headers' };

const plainText = value =>
    Array.isArray(value)
        ? value.map(plainText).join(', ')
        : typeof value === 'object' && value !== null
          ? Object.entries(value)
                .map(([name, of]) => `${name}: ${plainText(of)}`)
                .join('; ')
          : String(value);

const penaltyText = ({ after, within, growth, ...times }) =>
    `${times.for} after ${after} refusals within ${within}; then ×${growth}, up to ${times.up_to}`;

function termsOf(rule) {
    const terms = [['Limits', limitsText(rule.limits)]];
    for (const [name, value] of Object.entries(rule.match ?? {}))
        terms.push([MATCH_WORDS[name] ?? name, plainText(value)]);
    if (rule.match === null)
        terms.push([
            'Path',
            rule.name === 'default' ? 'whatever no other rule matches' : 'none: reached by its name',
        ]);
    terms.push(
        ['A client is', rule.identify_by.map(plainText).join(', else ')],
        ['Without the store', rule.on_store_failure],
    );
    if (rule.cost !== undefined) terms.push(['Cost', String(rule.cost)]);
    if (rule.penalty) terms.push(['Penalty', penaltyText(rule.penalty)]);
    if (rule.clients)
        terms.push(['Clients that differ', countText(rule.clients.addresses + rule.clients.names)]);
    return terms;
}

const COUNT_WORDS = [
    ['allowed', 'Allowed'],
    ['refused', 'Refused'],
    ['penalised', 'Penalised'],
    ['blocked', 'Blocked'],
    ['unavailable', 'Answered 503'],
    ['near_limit', 'Near limit'],
];

const countsOf = counts =>
    COUNT_WORDS.filter(([name]) => counts?.[name] !== undefined).map(([name, text]) => [
        text,
        countText(counts[name]),
    ]);

/* What would be, in sentences. */
function wouldOf({ shadow, candidate, counts, rates }) {
    const said = [];
    const now = rate => `${rateText(rate)} a second now`;
    const of = name => countText(counts?.[name]);
    if (shadow)
        said.push([
            'As a shadow',
            `would have refused ${of('shadow_refused')}; ${now(rates.shadow_refused)}`,
        ]);
    if (candidate)
        said.push(
            ['Candidate', limitsText(candidate.limits)],
            [
                'As live limits',
                `would have refused ${of('candidate_refused')}, allowed ${of('candidate_allowed')}; ` +
                    `${of('candidate_missed')} were not tried; ${now(rates.candidate_refused)}`,
            ],
        );
    return said;
}

const listOf = (pairs, word) =>
    make(
        'dl',
        { class: word },
        ...pairs.map(([name, text]) => make('div', {}, make('dt', {}, name), make('dd', {}, foreign(text)))),
    );

function showRule() {
    const rule = rules.byName.get(focus.rule),
        place = byId('rule');
    show(place, rule !== undefined);
    if (rule === undefined) return;
    const said = JSON.stringify([rule.name, termsOf(rule), countsOf(rule.counts), wouldOf(rule)]);
    if (place.dataset.said === said) return;
    place.dataset.said = said;
    const since = rule.counts ? ` since ${momentText(moment(rule.counts.since))}` : '';
    place.replaceChildren(
        make('h3', {}, foreign(rule.name)),
        listOf([...termsOf(rule), ...wouldOf(rule)], 'terms'),
        make('h4', {}, `Requests${since}`),
        listOf(countsOf(rule.counts), 'counts'),
    );
}
