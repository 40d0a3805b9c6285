/*
 * What deploy/observe/dashboard.json may be: Grafana's own types of a dashboard and of the panels that it has, strictly.
 * test_observe.py has the compiler check it.
 */
import type { Dashboard, DataQuery, FieldConfig, Panel, RowPanel, VariableModel } from "@grafana/schema";
import type * as heatmap from "./node_modules/@grafana/schema/dist/types/raw/composable/heatmap/panelcfg/x/types.gen";
import type * as stat from "./node_modules/@grafana/schema/dist/types/raw/composable/stat/panelcfg/x/types.gen";
import type * as timeseries from "./node_modules/@grafana/schema/dist/types/raw/composable/timeseries/panelcfg/x/types.gen";

/* A query of Grafana's data source for Prometheus. */
interface Query extends Omit<DataQuery, "datasource"> {
    datasource: { type: "prometheus"; uid: "${datasource}" };
    expr: string;
    legendFormat: string;
    range: boolean;
    instant: boolean;
    format?: "time_series" | "heatmap" | "table";
}

interface Of<Type extends string, Options, Custom> extends Omit<Panel, "type" | "options" | "fieldConfig" | "targets"> {
    type: Type;
    options: Options;
    targets: Query[];
    fieldConfig: {
        defaults: Omit<FieldConfig, "custom"> & { custom?: Custom };
        overrides: { matcher: { id: string; options?: unknown }; properties: { id: string; value?: unknown }[] }[];
    };
}

interface Annotation {
    name: string;
    enable: boolean;
    iconColor: string;
    datasource: Query["datasource"];
    expr: string;
    titleFormat: string;
    textFormat: string;
}

interface Board extends Omit<Dashboard, "panels" | "annotations" | "templating"> {
    uid: string;
    title: string;
    templating: { list: (VariableModel & { definition?: string })[] };
    annotations: { list: Annotation[] };
    panels: (
        | RowPanel
        | Of<"timeseries", timeseries.Options, timeseries.FieldConfig>
        | Of<"stat", stat.Options, never>
        | Of<"heatmap", heatmap.Options, heatmap.FieldConfig>
    )[];
}

/* As the type is in JSON, where the values of enums are plain texts and numbers. */
type Json<T> = T extends string
    ? `${T}`
    : T extends number | boolean | null | undefined
      ? T
      : T extends (infer Element)[]
        ? Json<Element>[]
        : T extends object
          ? { [Key in keyof T]: Json<T[Key]> }
          : T;

export type DashboardFile = Json<Board>;
