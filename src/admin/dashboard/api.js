/*
 * api: asks the admin listener, again and again while the page is seen.
 *
 * The token is kept here and nowhere else: it is gone with the page. The link to the service is in one of
 * these states:
 *
 *      connecting ──► live ◄──► gone        no answer: the last figures stay
 *                      ▲ ▼
 *                     locked                it asks for a token: nothing is asked until one is given
 *
 * Until it is live, /v1/status alone is asked.
 */
const ANSWER_MS = 8000;
const AGAIN_MS = [1000, 2000, 4000, 8000];
const AGAIN_MISSING_MS = 30000; /* what is switched off */
const NOT_ACCEPTED = 'The service does not accept this token.';

const link = { state: 'connecting', since: Date.now(), token: '', tries: 0, heard: null };
const polls = [];

function linkBecomes(state) {
    if (link.state === state) return;
    link.state = state;
    link.since = Date.now();
    document.documentElement.dataset.link = state;
    if (state === 'live') wake();
    if (state === 'locked') askForToken(link.token === '' ? '' : NOT_ACCEPTED);
    showLink();
}

/* { status, token, data, problem }: `status` 0 if there was no answer, `token` what was sent, `problem` a
   sentence if it was not the answer that was wanted. */
async function ask(path, method = 'GET', body = null) {
    const { token } = link;
    const headers = {};
    if (token !== '') headers.Authorization = `Bearer ${token}`;
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
            token,
            data,
            problem: answer.ok ? '' : data.detail || `The answer was ${answer.status}.`,
        };
    } catch {
        return { status: 0, token, data: {}, problem: 'The service does not answer.' };
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
        Object.assign(this, { path, everyMs, onAnswer, timer: 0, turn: 0, idle: true });
        polls.push(this);
    }

    /* An answer that is still under way is one to an old question. */
    now() {
        clearTimeout(this.timer);
        this.run(++this.turn);
    }

    isAsking() {
        const isOpen = link.state === 'live' || this === polls[0];
        return isOpen && link.state !== 'locked' && !document.hidden && this.path() !== null;
    }

    async run(turn) {
        this.idle = !this.isAsking();
        if (this.idle) return;
        const began = performance.now();
        const answer = await ask(this.path());
        if (turn !== this.turn) return;
        this.hear(answer);
        this.idle = answer.status === 401; /* until there is another token */
        if (this.idle || turn !== this.turn) return;
        const took = performance.now() - began;
        const every = answer.status === 404 ? AGAIN_MISSING_MS : this.everyMs();
        const again = AGAIN_MS[Math.min(link.tries, AGAIN_MS.length) - 1] ?? Math.max(every, 10 * took);
        this.timer = setTimeout(() => this.run(turn), again);
    }

    hear(answer) {
        if (answer.status !== 0) linkHears(answer);
        else if (this === polls[0]) {
            link.tries++;
            linkBecomes('gone');
        }
        if (link.state === 'live') this.onAnswer(answer);
    }
}

/* An answer that came before the token that was given since says nothing. */
function linkHears({ status, token }) {
    link.tries = 0;
    link.heard = Date.now();
    if (status === 401 && token === link.token) linkBecomes('locked');
    else if (status !== 401 && link.state !== 'locked') linkBecomes('live');
}

const wake = () => polls.filter(poll => poll.idle).forEach(poll => poll.now());

document.addEventListener('visibilitychange', wake);
