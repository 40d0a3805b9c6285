/*
 * client: what a client is called. Keys, the log and the analytics have it as "ip=203.0.113.7",
 * percent-encoded, with "&" between several sources; a change at run time takes "203.0.113.7", a reset the
 * fields of a check.
 */

/* What was typed, as in keys: an address is one of an ip, other bare words name a client of the JSON API. */
function clientOf(typed) {
    const text = typed.trim();
    if (text.includes('=') || text === 'global') return text;
    const isAddress =
        /^\d+\.\d+\.\d+\.\d+(\/\d+)?$/.test(text) || /^[0-9a-f:.]*:[0-9a-f:.]*(\/\d+)?$/i.test(text);
    return isAddress ? `ip=${text}` : `client=${encodeURIComponent(text)}`;
}

function partsOf(client) {
    return client.split('&').map(part => {
        const at = part.indexOf('='),
            source = at < 0 ? part : part.slice(0, at);
        return { source, value: at < 0 ? '' : plainValue(part.slice(at + 1)) };
    });
}

function plainValue(value) {
    try {
        return decodeURIComponent(value);
    } catch {
        return value;
    }
}

/* As a change at run time names it; null: it cannot. */
function nameOf(client) {
    const [{ source, value }, ...more] = partsOf(client);
    if (more.length > 0 || value === '') return null;
    return (source === 'ip' && value !== 'unix') || source === 'client' ? value : `${source}=${value}`;
}

/* The body of a reset; null: it cannot be said. */
function resetOf(rule, client) {
    const body = { rule },
        headers = {};
    for (const { source, value } of partsOf(client)) {
        const [kind, name] = source.split(':', 2);
        if (kind === 'ip' && value !== 'unix') body.ip = value.split('/')[0];
        else if (kind === 'client') body.client = value;
        else if (kind === 'header') headers[name] = value;
        else if (kind === 'cookie')
            headers.Cookie = (headers.Cookie ? headers.Cookie + '; ' : '') + `${name}=${value}`;
        else if (kind === 'host') body.host = value;
        else if (kind !== 'global') return null;
    }
    if (Object.keys(headers).length > 0) body.headers = headers;
    return body;
}
