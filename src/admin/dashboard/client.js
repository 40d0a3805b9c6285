/*
 * client: what a client is called. Keys, the log and the analytics have it as "ip=203.0.113.7",
 * percent-encoded, with "&" between several sources; a change at run time takes it plain, a reset as the
 * fields of a check.
 */

/* Escaped as keys are (client.h): printable ASCII is as it is, but for what `kept` does not match. */
const escapeValue = (text, kept) =>
    [...new TextEncoder().encode(text)]
        .map(byte => [byte, String.fromCharCode(byte)])
        .map(([byte, char]) => (kept.test(char) ? char : `%${byte.toString(16).padStart(2, '0')}`))
        .join('');

/* What was typed, as in keys: an address is one of an ip, other bare words name a client of the JSON API. */
function clientOf(typed) {
    const text = typed.trim();
    if (text.includes('=') || text === 'global') return escapeValue(text, /[!-z|~]/);
    const isAddress = /^(\d+\.){3}\d+(\/\d+)?$/.test(text) || /^[0-9a-f.]*:[0-9a-f:.]*(\/\d+)?$/i.test(text);
    return isAddress ? `ip=${text}` : `client=${escapeValue(text, /[!-$'-z|~]/)}`;
}

/* `value` null: it has bytes that are no text, which JSON cannot say. */
function partsOf(client) {
    return client.split('&').map(part => {
        const [source, ...rest] = part.split('=');
        return { source, value: plainValue(rest.join('=')) };
    });
}

function plainValue(value) {
    try {
        return decodeURIComponent(value);
    } catch {
        return null;
    }
}

/* As a change at run time names it; null: it cannot. */
function nameOf(client) {
    const [{ source, value }, ...more] = partsOf(client);
    return more.length > 0 || !value ? null : `${source}=${value}`;
}

/* What a part of a client is in a check: fields, and headers. Other parts cannot be said. */
const CHECK_FIELDS = {
    ip: value => (value === 'unix' ? null : [{ ip: value.split('/')[0] }, {}]),
    client: value => [{ client: value }, {}],
    host: value => [{ host: value }, {}],
    header: (value, name) => [{}, { [name]: value }],
    cookie: (value, name) => [{}, { Cookie: `${name}=${value}` }],
    global: () => [{}, {}],
};

/* The body of a reset; null: it cannot be said. */
function resetOf(rule, client) {
    const body = { rule };
    const headers = {};
    for (const { source, value } of partsOf(client)) {
        const [kind, name] = source.split(':');
        const said = value === null ? null : CHECK_FIELDS[kind]?.(value, name);
        if (!said) return null;
        const [fields, { Cookie, ...more }] = said;
        Object.assign(body, fields);
        Object.assign(headers, more);
        if (Cookie) headers.Cookie = headers.Cookie ? `${headers.Cookie}; ${Cookie}` : Cookie;
    }
    return Object.keys(headers).length > 0 ? { ...body, headers } : body;
}
