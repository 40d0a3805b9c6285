/*
 * The script of /dashboard. The build joins the files of this folder, in the order of src/CMakeLists.txt,
 * into one.
 *
 * dom: elements, and what they say. Text becomes text nodes and nothing else; the page's policy (dashboard.c)
 * makes the browser refuse all that would parse it as markup.
 */
const byId = id => document.getElementById(id);

/* An element with attributes, and with children: elements, texts, and nulls that are left out. */
function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children.filter(child => child !== null));
    return element;
}

function makeSvg(tag, attributes = {}) {
    const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
}

/* What comes from the rules, a client or a log: isolated, so that its direction of writing ends with it. */
const foreign = text => make('bdi', {}, String(text));

/* Only what changes is written: an equal text costs the browser nothing. */
function say(element, text) {
    if (element.textContent !== text) element.textContent = text;
}

function show(element, isShown) {
    if (element.hidden === isShown) element.hidden = !isShown;
}

function button(text, onClick, attributes = {}) {
    const element = make('button', { type: 'button', ...attributes }, text);
    element.addEventListener('click', onClick);
    return element;
}

/* As many rows as there are items. `fill` writes an item into a row that `create` made, for another item
   perhaps. */
function fillRows(parent, items, create, fill) {
    while (parent.children.length > items.length) parent.lastElementChild.remove();
    items.forEach((item, i) => {
        if (i === parent.children.length) parent.append(create());
        fill(parent.children[i], item);
    });
}

/* The head of a table. columns: [text, class]. */
const headOf = columns =>
    make(
        'thead',
        {},
        make(
            'tr',
            {},
            ...columns.map(([text, word = '']) => make('th', { scope: 'col', class: word }, text)),
        ),
    );

/* One of a few words. `chosen` is called with the new one. */
function choice(group, words, first, chosen) {
    const buttons = words.map(([word, text]) =>
        button(
            text,
            () => {
                buttons.forEach(other => other.setAttribute('aria-pressed', other.dataset.word === word));
                chosen(word);
            },
            { 'data-word': word, 'aria-pressed': word === first },
        ),
    );
    group.append(...buttons);
}
