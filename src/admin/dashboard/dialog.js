/*
 * dialog: asks for a few words: the token, or how long a client is to be blocked. One question at a time.
 */
let answerQuestion = null;

/* question: { title, text, wrong, yes, fields: [{ name, label, value, type, ... attributes }] }. The
   values by their names, or null. */
function question({ title, text = '', wrong = '', yes, fields }) {
    if (answerQuestion !== null) answerQuestion(null);
    say(byId('ask-title'), title);
    byId('ask-text').replaceChildren(text);
    say(byId('ask-wrong'), wrong);
    say(byId('ask-yes'), yes);
    byId('ask-fields').replaceChildren(
        ...fields.map(({ label, ...attributes }) =>
            make(
                'label',
                {},
                label,
                make('input', { autocomplete: 'off', spellcheck: 'false', required: '', ...attributes }),
            ),
        ),
    );
    if (!byId('ask').open) byId('ask').showModal();
    byId('ask-fields').querySelector('input')?.focus();
    return new Promise(resolve => {
        answerQuestion = resolve;
    });
}

function endQuestion(values) {
    const resolve = answerQuestion;
    answerQuestion = null;
    byId('ask').close();
    byId('ask-fields').replaceChildren(); /* a token stays in no field */
    if (resolve !== null) resolve(values);
}

/* True: there is one to try. */
async function askForToken(wrong = '') {
    const values = await question({
        title: 'The token of this service',
        text: 'Its ADMIN_TOKEN. This page keeps it in memory: it is gone when the page is closed.',
        wrong,
        yes: 'Use it',
        fields: [{ name: 'token', label: 'Token', type: 'password' }],
    });
    if (values === null) return false;
    if (!/^[!-~]+$/.test(values.token))
        return askForToken('A token has no spaces and no characters beyond ASCII.');
    link.token = values.token;
    if (link.state === 'locked') {
        link.state = 'connecting';
        polls[0].now();
    }
    return true;
}

function beginDialog() {
    byId('ask-form').addEventListener('submit', event => {
        event.preventDefault();
        endQuestion(Object.fromEntries(new FormData(event.target)));
    });
    byId('ask-no').addEventListener('click', () => endQuestion(null));
    byId('ask').addEventListener('cancel', event => {
        event.preventDefault();
        endQuestion(null);
    });
    byId('token').addEventListener('click', () => askForToken());
}

/* What has just been done, said once. */
function tell(text, isBad = false) {
    byId('done').className = isBad ? 'bad' : 'good';
    byId('done').replaceChildren(foreign(text));
    clearTimeout(tell.timer);
    tell.timer = setTimeout(() => byId('done').replaceChildren(), 6000);
}
