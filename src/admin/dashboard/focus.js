/*
 * focus: the rule that the page is about, if it is about one: the chart and the top clients are then those of
 * this rule.
 */
const focus = { rule: null, changed: [] };

function focusOn(rule) {
    focus.rule = focus.rule === rule ? null : rule;
    for (const chip of document.querySelectorAll('[data-focus-chip]')) {
        show(chip, focus.rule !== null);
        chip.replaceChildren(foreign(focus.rule ?? ''), make('span', { 'aria-hidden': 'true' }, ' ×'));
        chip.setAttribute('aria-label', `Rule ${focus.rule ?? ''} only; show all rules`);
    }
    focus.changed.forEach(show => show());
}

function beginFocus() {
    for (const chip of document.querySelectorAll('[data-focus-chip]'))
        chip.addEventListener('click', () => focusOn(focus.rule));
}
