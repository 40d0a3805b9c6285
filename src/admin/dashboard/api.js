/*
 * api: asks the admin listener, again and again while the page is seen.
 *
 * The token is kept here and nowhere else: it is gone with the page. The link to the service is in one of
 * these states:
 *
 *      connecting ──► live ◄──► gone        no answer: the last figures stay; only /v1/status is asked
 *                      ▲ ▼
 *                     locked                it asks for a token: nothing is asked until one is given
 */
const ANSWER_MS = 8000;
const AGAIN_MS = [1000, 2000, 4000, 8000];
const NOT_ACCEPTED = 'The service does not accept this token.';

const link = { state: 'connecting', since: Date.now(), token: '', tries: 0, heard: null };
const polls = [];

function linkBecomes(state) {
    if (link.state === state) return;
    link.state = state;
    link.since = Date.now();
    document.documentElement.dataset.link = state;
    if (state === 'live') polls.forEach(poll => poll.now());
    if (state === 'locked') askForToken(link.token === '' ? '' : NOT_ACCEPTED);
    showLink();
}

/* { status, data, problem }: `status` 0 if there was no answer, `problem` a sentence if it was not the one
   that was wanted. */
async function ask(path, method = 'GET', body = null) {
    const headers = {};
    if (link.token !== '') headers.Authorization = `Bearer ${link.token}`;
    if (body !== null) headers['Content-Type'] = 'application/json';
    try {
        const answer = await fetch(path, {
            method,
            headers,
            body: body === null ? null : JSON.stringify(body),
            cache: 'no-store',
            credentials: 'omit',
            redirect: 'error',
            signal: AbortSignal.timeout(ANSWER_MS),
        });
        const data = await answer.json().catch(() => ({}));
        return {
            status: answer.status,
            data,
            problem: answer.ok ? '' : data.detail || `The answer was ${answer.status}.`,
        };
    } catch {
        return { status: 0, data: {}, problem: 'The service does not answer.' };
    }
}

/* A change, which needs the token: asks for it, and then for the change again. */
async function change(path, body) {
    for (;;) {
        const answer = await ask(path, 'POST', body);
        if (answer.status !== 401) return answer;
        if (!(await askForToken(link.token === '' ? '' : NOT_ACCEPTED)))
            return { ...answer, problem: 'Nothing was changed.' };
    }
}

/*
 * Asks for a path every so often, and shows what comes. Never takes more than a tenth of the time: where an
 * answer is long, because there are many rules, it is asked for less often. `path` returns null when there is
 * nothing to ask for.
 */
class Poll {
    constructor(path, everyMs, onAnswer) {
        Object.assign(this, { path, everyMs, onAnswer, timer: 0, turn: 0 });
        polls.push(this);
    }

    /* An answer that is still under way is one to an old question. */
    now() {
        clearTimeout(this.timer);
        this.run(++this.turn);
    }

    async run(turn) {
        const path = this.path();
        if (
            path === null ||
            document.hidden ||
            link.state === 'locked' ||
            (link.state === 'gone' && this !== polls[0])
        )
            return;
        const began = performance.now();
        const answer = await ask(path);
        if (turn !== this.turn) return;
        this.hear(answer);
        const took = performance.now() - began;
        const again =
            link.state === 'gone'
                ? AGAIN_MS[Math.min(link.tries, AGAIN_MS.length) - 1]
                : Math.max(this.everyMs(), 10 * took);
        this.timer = setTimeout(() => this.run(turn), again);
    }

    hear(answer) {
        if (answer.status === 0) {
            link.tries++;
            linkBecomes('gone');
            return;
        }
        link.tries = 0;
        link.heard = Date.now();
        linkBecomes(answer.status === 401 ? 'locked' : 'live');
        if (answer.status !== 401) this.onAnswer(answer);
    }
}

document.addEventListener('visibilitychange', () => {
    if (!document.hidden) polls.forEach(poll => poll.now());
});
