/*
 * traffic: the two charts, from /v1/history: decisions of all rules or of one, and latency.
 */
const traffic = { span: '15m', decisions: null, latency: null, polls: [] };

const SPANS = [
    ['15m', '15 min'],
    ['24h', '24 h'],
];

const historyPath = rule =>
    `/v1/history?span=${traffic.span}` + (rule === null ? '' : `&rule=${encodeURIComponent(rule)}`);

const chartData = (data, names) => ({
    until: moment(data.until),
    step_s: data.step_s,
    values: names.map(name => data.series[name] ?? []),
});

const showDecisions = data =>
    traffic.decisions.set(chartData(data, ['refused', 'allowed', 'near_limit', 'degraded']));

function showHistory({ status, data }) {
    if (status !== 200) return;
    traffic.latency.set(chartData(data, ['p50_us', 'p99_us', 'redis_p99_us']));
    showSparks(data.series);
    traffic.until = moment(data.until);
    traffic.from = traffic.until - data.step_s * data.points;
    if (focus.rule === null) showDecisions(data);
}

function showHistoryOfRule({ status, data, problem }) {
    if (focus.rule === null) return;
    say(byId('traffic-note'), problem);
    if (status === 200) showDecisions(data);
    else traffic.decisions.clear();
}

function beginTraffic() {
    traffic.decisions = new Chart(byId('traffic'), {
        label: 'Decisions a second over time',
        series: [
            { name: 'Refused', kind: 'area', word: 'refused', text: rateText },
            { name: 'Allowed', kind: 'area', word: 'allowed', text: rateText },
            { name: 'Near limit', kind: 'line', word: 'near', text: rateText },
            { name: 'Degraded', kind: 'line', word: 'degraded', text: rateText },
        ],
    });
    traffic.latency = new Chart(byId('latency'), {
        label: 'Latency over time',
        isLog: true,
        series: [
            { name: 'p50', kind: 'line', word: 'plain', text: microsText },
            { name: 'p99', kind: 'line', word: 'allowed', text: microsText },
            { name: 'Redis p99', kind: 'line', word: 'redis', text: microsText },
        ],
    });
    const everyMs = () => (traffic.span === '15m' ? 2000 : 20000);
    traffic.polls = [
        new Poll(() => historyPath(null), everyMs, showHistory),
        new Poll(() => (focus.rule === null ? null : historyPath(focus.rule)), everyMs, showHistoryOfRule),
    ];
    const again = () => traffic.polls.forEach(poll => poll.now());
    choice(byId('span'), SPANS, traffic.span, word => {
        traffic.span = word;
        again();
    });
    focus.changed.push(() => {
        say(byId('traffic-note'), '');
        again();
    });
}
