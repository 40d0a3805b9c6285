/*
 * chart: series over time, drawn as SVG. The legend says the figures: those of now, or of the moment that the
 * pointer or the arrow keys are at.
 *
 *      series: { name, kind, word: its class, text(value) }
 *      kind: 'line', or 'area': stacked on the areas before it
 */
const CHART_HEIGHT = 168,
    CHART_TOP = 8,
    CHART_BOTTOM = 20,
    CHART_LEFT = 42;
const GRID_S = [60, 180, 300, 3600, 10800, 21600];

/* The least round number that is not below the value. */
function roundUp(value) {
    const unit = 10 ** Math.floor(Math.log10(value));
    return [1, 2, 2.5, 4, 5, 10].find(step => step * unit >= value * 0.9999) * unit;
}

/* Where values are on the axis: [0, 1], and the values with a line of the grid. */
function linearScale(most) {
    const top = roundUp(Math.max(most, 1));
    return { at: value => value / top, ticks: [0, top / 2, top] };
}

function logScale(least, most) {
    const low = Math.floor(Math.log10(least)),
        high = Math.max(low + 1, Math.ceil(Math.log10(most)));
    const ticks = Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i));
    return { at: value => Math.max(0, (Math.log10(value) - low) / (high - low)), ticks };
}

class Chart {
    constructor(place, { label, series, isLog = false }) {
        Object.assign(this, { label, series, isLog, data: null, cursor: null, width: 0 });
        this.svg = makeSvg('svg', { height: CHART_HEIGHT, 'aria-hidden': 'true' });
        this.grid = this.svg.appendChild(makeSvg('g', { class: 'grid' }));
        this.paths = series.map(({ kind, word }) =>
            this.svg.appendChild(makeSvg('path', { class: `${kind} ${word}` })),
        );
        this.labels = this.svg.appendChild(makeSvg('g', { class: 'labels' }));
        this.line = this.svg.appendChild(makeSvg('path', { class: 'cursor' }));
        this.field = make(
            'div',
            {
                class: 'chart',
                tabindex: '0',
                role: 'slider',
                'aria-label': label,
                'aria-valuenow': '0',
                'aria-valuemin': '0',
                'aria-valuemax': '0',
                'aria-valuetext': 'no figures yet',
            },
            this.svg,
        );
        this.values = series.map(() => make('b', {}, NONE));
        this.when = make('span', { class: 'when' });
        this.legend = make(
            'p',
            { class: 'legend' },
            ...series.map(({ name, word, kind }, i) =>
                make('span', { class: `key ${kind} ${word}` }, name, ' ', this.values[i]),
            ),
            this.when,
        );
        place.append(this.field, this.legend);
        new ResizeObserver(([entry]) => {
            this.width = Math.floor(entry.contentRect.width);
            this.draw();
        }).observe(this.field);
        this.listen();
    }

    /* data: { until, step_s, values: a list for each series, null where nothing was measured } */
    set(data) {
        this.data = data;
        this.points = Math.max(0, ...data.values.map(values => values.length));
        if (this.cursor !== null && this.cursor >= this.points) this.cursor = null;
        this.draw();
    }

    clear() {
        this.data = null;
        this.grid.replaceChildren();
        this.labels.replaceChildren();
        [...this.paths, this.line].forEach(path => path.setAttribute('d', ''));
        this.values.forEach(value => say(value, NONE));
    }

    x(i) {
        return CHART_LEFT + (i / Math.max(1, this.points - 1)) * (this.width - CHART_LEFT);
    }
    y(value) {
        return CHART_TOP + (1 - this.scale.at(value)) * (CHART_HEIGHT - CHART_TOP - CHART_BOTTOM);
    }
    timeOf(i) {
        return this.data.until - (this.points - i) * this.data.step_s;
    }

    /* For each area, where it begins and ends: on what is below it. */
    stack() {
        const below = new Array(this.points).fill(0);
        return this.series.map(({ kind }, s) =>
            this.data.values[s].map((value, i) => {
                if (value === null) return null;
                const from = kind === 'area' ? below[i] : 0;
                below[i] += kind === 'area' ? value : 0;
                return [from, from + value];
            }),
        );
    }

    draw() {
        if (this.data === null || this.width === 0) return;
        const spans = this.stack();
        const all = spans
            .flat()
            .filter(span => span !== null && (!this.isLog || span[1] > 0))
            .map(span => span[1]);
        const most = all.reduce((a, b) => Math.max(a, b), 0);
        this.scale = this.isLog
            ? logScale(
                  all.reduce((a, b) => Math.min(a, b), most || 100),
                  most || 1000,
              )
            : linearScale(most);
        this.svg.setAttribute('viewBox', `0 0 ${this.width} ${CHART_HEIGHT}`);
        this.svg.setAttribute('width', this.width);
        this.drawGrid();
        spans.forEach((list, s) =>
            this.paths[s].setAttribute('d', this.pathOf(list, this.series[s].kind === 'area')),
        );
        this.point();
    }

    /* A null ends a piece. An area's piece comes back along its lower side. */
    pathOf(spans, isArea) {
        const out = [];
        for (let i = 0; i < spans.length; i++) {
            if (spans[i] === null) continue;
            const first = i;
            while (i + 1 < spans.length && spans[i + 1] !== null) i++;
            const upper = [],
                lower = [];
            for (let k = first; k <= i; k++) {
                const x = this.x(k).toFixed(1);
                upper.push(`${x},${this.y(spans[k][1]).toFixed(1)}`);
                lower.unshift(`${x},${this.y(spans[k][0]).toFixed(1)}`);
            }
            out.push(
                isArea
                    ? `M${upper.join('L')}L${lower.join('L')}Z`
                    : `M${upper.join('L')}${first === i ? 'h1' : ''}`,
            );
        }
        return out.join('');
    }

    drawGrid() {
        const lines = [],
            labels = [];
        const put = (d, text, attributes) => {
            lines.push(makeSvg('path', { d }));
            labels.push(makeSvg('text', attributes));
            labels.at(-1).textContent = text;
        };
        for (const value of this.scale.ticks) {
            const y = Math.round(this.y(value)) + 0.5;
            put(`M${CHART_LEFT} ${y}H${this.width}`, this.series[0].text(value), {
                x: CHART_LEFT - 6,
                y: y + 4,
            });
        }
        const { step_s } = this.data,
            last = this.points - 1;
        const room = (this.width - CHART_LEFT) / (step_s * last);
        const every = GRID_S.find(s => room * s >= 64) ?? GRID_S.at(-1);
        for (let at = Math.ceil(this.timeOf(0) / every) * every; at <= this.timeOf(last); at += every) {
            const x = this.x((at - this.timeOf(0)) / step_s);
            const down = `M${Math.round(x) + 0.5} ${CHART_TOP}V${CHART_HEIGHT - CHART_BOTTOM}`;
            const isInside = x > CHART_LEFT + 18 && x < this.width - 18;
            put(down, isInside ? clockText(at, CLOCK_SHORT) : '', { x, y: CHART_HEIGHT - 5, class: 'at' });
        }
        this.grid.replaceChildren(...lines);
        this.labels.replaceChildren(...labels);
    }

    /* The last moment of which anything is known. */
    latest() {
        const known = this.data.values.map(values => values.findLastIndex(value => value !== null));
        return Math.max(...known);
    }

    /* Says the figures at the cursor, else the last ones. */
    point() {
        const last = this.points - 1;
        const i = this.cursor ?? this.latest();
        const said = this.series.map(({ text }, s) => text(this.data.values[s][i] ?? null));
        said.forEach((text, s) => say(this.values[s], text));
        const when = this.cursor === null ? 'now' : momentText(this.timeOf(i));
        say(this.when, this.cursor === null ? '' : when);
        this.line.setAttribute(
            'd',
            this.cursor === null ? '' : `M${this.x(i)} ${CHART_TOP}V${CHART_HEIGHT - CHART_BOTTOM}`,
        );
        this.field.setAttribute('aria-valuemax', Math.max(0, last));
        this.field.setAttribute('aria-valuenow', Math.max(0, i));
        this.field.setAttribute(
            'aria-valuetext',
            `${when}: ` + this.series.map(({ name }, s) => `${name} ${said[s]}`).join(', '),
        );
    }

    moveTo(i) {
        if (this.data === null || this.points === 0) return;
        this.cursor = i === null || i >= this.points ? null : Math.max(0, i);
        this.point();
    }

    listen() {
        const at = event => {
            const { left, width } = this.svg.getBoundingClientRect();
            const part = (event.clientX - left - CHART_LEFT) / (width - CHART_LEFT);
            this.moveTo(Math.round(part * (this.points - 1)));
        };
        this.field.addEventListener('pointermove', at);
        this.field.addEventListener('pointerdown', at);
        this.field.addEventListener('pointerleave', () => this.moveTo(null));
        this.field.addEventListener('blur', () => this.moveTo(null));
        this.field.addEventListener('keydown', event => {
            const now = this.cursor ?? this.points - 1,
                page = Math.round(this.points / 10);
            const to = {
                ArrowLeft: now - 1,
                ArrowDown: now - 1,
                ArrowRight: now + 1,
                ArrowUp: now + 1,
                PageUp: now + page,
                PageDown: now - page,
                Home: 0,
                End: null,
                Escape: null,
            }[event.key];
            if (to === undefined) return;
            event.preventDefault();
            this.moveTo(to);
        });
    }
}

/* A line without axes, for a tile. */
const SPARK_WIDTH = 120,
    SPARK_HEIGHT = 24;

function makeSpark() {
    const svg = makeSvg('svg', {
        viewBox: `0 0 ${SPARK_WIDTH} ${SPARK_HEIGHT}`,
        preserveAspectRatio: 'none',
        class: 'spark',
        'aria-hidden': 'true',
    });
    svg.append(makeSvg('path'));
    return svg;
}

function drawSpark(svg, values) {
    const known = values.filter(value => value !== null);
    const most = known.reduce((a, b) => Math.max(a, b), 0) || 1;
    let pen = 'M';
    const steps = values.map((value, i) => {
        if (value === null) {
            pen = 'M';
            return '';
        }
        const x = (i / (values.length - 1)) * SPARK_WIDTH;
        const y = (1 - value / most) * (SPARK_HEIGHT - 3) + 1.5;
        const step = `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
        pen = 'L';
        return step;
    });
    svg.firstElementChild.setAttribute('d', steps.join(''));
}
