// Written by `npm run api` from crates/server/openapi.json. Not edited by hand.

export interface paths {
    readonly "/healthz": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Whether the server is up
         * @description Needs no key.
         */
        readonly get: operations["health"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/openapi.json": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** This document */
        readonly get: operations["openapi"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/traces": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Find traces, newest first
         * @description `service`, `operation` and every `attribute` must hold together on one span of the trace. Unknown parameters are errors, not ignored.
         */
        readonly get: operations["findTraces"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/traces/{id}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * One user action with its spans and logs, by any id that belongs to it
         * @description The id is of a trace (in 32 hexadecimal digits, or as X-Ray writes it), or of a request, or what passed between two functions (a message, an event, an object, with its kind before it or without: `sqs:ID`, `ID`); else it is the value of an attribute, or words of a log record, that are looked for during two seconds. The answer has all traces that the user action is in, as one tree: what they have in common says which those are, and `joins` says how that is known. At most 100 traces and 10,000 spans, unless one trace alone has more; `left_out` says what is not here.
         */
        readonly get: operations["loadTrace"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/spans": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Find spans */
        readonly get: operations["findSpans"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/logs": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Find logs */
        readonly get: operations["findLogs"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/logs/tail": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Follow logs as they arrive
         * @description Logs that arrive from now on, or after the one whose id the header `Last-Event-ID` names, within a quarter of a second of their acknowledgement. It never ends.
         */
        readonly get: operations["tailLogs"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/live": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Follow what each function does right now
         * @description Once a second, what every function with the extension did in the last seconds and minute, held against what is normal for it: all of its invocations of the last 24 hours but for the last three minutes. An invocation is seen as soon as its span is acknowledged. It never ends.
         */
        readonly get: operations["followFunctions"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/metrics": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** List metrics */
        readonly get: operations["listMetrics"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/metrics/range": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Draw lines of a metric
         * @description Counters that are told since their start become what they grew by; where one began anew, it counts from nothing.
         */
        readonly get: operations["drawMetric"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/search": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Find spans or logs by conditions in JSON
         * @description The conditions are those of a query. Closing the connection stops the search.
         */
        readonly post: operations["search"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/services": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * The services that have sent spans
         * @description Counted by the rollups of segments, and the spans that are not sealed yet. Times of whole minutes are quickest.
         */
        readonly get: operations["listServices"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/operations": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * What services do
         * @description Spans by service, name and kind, from what was summed up when they were sealed and from what is not sealed yet.
         */
        readonly get: operations["listOperations"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/edges": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * What calls what
         * @description Nodes and edges of a map, from what was summed up when spans were sealed and from what is not sealed yet. Whole minutes count. docs/edges.md says what an edge is.
         */
        readonly get: operations["listEdges"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/costs": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * What functions cost
         * @description Estimates that the extension makes of the reports of invocations, from what was summed up when log records were sealed and from what is not sealed yet. Whole minutes count. Of invocations without a report nothing is known.
         */
        readonly get: operations["listCosts"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/graph": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * What can be asked of the graph
         * @description The labels, types, properties and functions that queries to the graph may use, and questions that are asked often, as queries. docs/graph.md says how they are written.
         */
        readonly get: operations["describeGraph"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/graph/query": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Who depends on whom, in openCypher
         * @description Answers a query in a read-only subset of openCypher with `DURING` and `COMPARED TO`, over the graph of who called whom in the window that it is about: edges, and operations and costs where it speaks of them. docs/graph.md says how it is written. A mistake says its line and column, and what would be right. After three seconds, or when its limits of rows and steps are reached, it answers with what was found until then and says so. Closing the connection stops it.
         */
        readonly post: operations["queryGraph"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/waits": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * How long records waited in queues
         * @description How long records lay in queues, topics, buses, streams and buckets before functions had them, from what functions tell of the ways of their records (`throughline.in.path`). A wait is known once it is over: of what still lies in a queue nobody tells. Of the functions that began in the time the newest 1,000 are looked at. A bus tells whole seconds, of which only what is certain counts.
         */
        readonly get: operations["listWaits"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/functions/{name}/advice": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Which memory a function should have
         * @description Predicts time and cost with every memory size from how the function ran with the one that it has: from at most 2,000 reports of the platform, the newest ones, and the processor time that the extension tells with the invocations' spans. Invocations that the platform ended count for nothing. Where the size was changed within the time, it also says whether that came as it would have been predicted.
         */
        readonly get: operations["showAdvice"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/attributes": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Keys of attributes
         * @description To choose one: those that most rows of the buffers and of the newest segments have first.
         */
        readonly get: operations["listAttributes"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/attributes/{key}/values": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Values of an attribute
         * @description To choose one: those that a segment has most. How many rows have a value is an estimate once there are many.
         */
        readonly get: operations["listAttributeValues"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/completeness": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Is anything missing, and why
         * @description What the extensions of each function took in, how much of it is stored, and what is not, with the reason. By name of function. An environment counts with its whole life, also if `from` and `to` cut it.
         */
        readonly get: operations["completeness"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/changes": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * List what was changed
         * @description New versions, code, memory sizes, architectures and timeouts of functions, and what was done with actions, the newest first. The former as reports of the platform tell them: when the first invocation with it was reported, in a minute that is complete two minutes after its end. The latter at once: when it was begun. The last thousand changes are known.
         */
        readonly get: operations["listChanges"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/incidents": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * List what is unusual, and what was
         * @description The newest first. What is unusual is worked out once a minute from what functions, operations and edges did; a minute is complete two minutes after its end. Incidents that turned out to be part of another are not listed, but can be asked for.
         */
        readonly get: operations["listIncidents"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/incidents/{id}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Show one incident
         * @description With its findings in numbers, filters and examples of the spans that show them, who calls and is called by its nodes, and where it comes from, if that can be told.
         */
        readonly get: operations["showIncident"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/investigations": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Why was it so, at that time?
         * @description Reads a sentence such as `payment was slow last night around 10PM`, or takes what is wrong, what of and when; confirms it against the hours before, or the same hours of the day before; finds the minute in which it began; ranks where it comes from with the share of each, and says what speaks for it, what does not, and who else is affected. Works from minutes of rollups and edges; spans, log records and reports of the platform add to it within two and a half seconds, and what there was no time for is in `left_out`. Says so where nothing is found. Of a time longer than a day its last day is looked at.
         */
        readonly post: operations["investigate"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/cloudwatch": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Read envelopes back from CloudWatch Logs, and take metric streams
         * @description Extensions that cannot reach a server write their batches to standard output, as lines with `__otel_otlp_stdout`. Such lines are stored like any other OTLP request, once; other lines are left alone. Records of a metric stream of CloudWatch, in the output format `json` or `opentelemetry1.0`, are stored as metrics, once. A line that cannot be read costs no other line. The key may also come in `X-Amz-Firehose-Access-Key`. The body may be compressed with gzip or zstd.
         */
        readonly post: operations["takeCloudwatch"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/sql": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Ask in SQL
         * @description One statement that reads, in PostgreSQL's dialect, over the tables `spans`, `logs` and `metrics` of one moment. Every attribute is a column by its key. `docs/queries.md` tells more. The `Accept` header chooses between JSON, CSV, a table as text, and an Arrow stream; those that are not JSON say what the query took in the headers `X-Throughline-Truncated` and `X-Throughline-Cost`. Closing the connection stops the query.
         */
        readonly post: operations["askSql"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/query": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Ask for groups, calculations and series
         * @description A query in the form of Honeycomb's query specification: breakdowns, calculations, filters, havings, orders, limit, granularity and a time range. Closing the connection stops it.
         */
        readonly post: operations["askQuery"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/saved": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Show saved queries
         * @description Questions that somebody has kept under a name, for everybody to ask again and for alerts to follow.
         */
        readonly get: operations["showSaved"];
        /**
         * Keep questions under names
         * @description Replaces all of them. One that an alert follows is neither renamed nor removed, and stays one that can be watched.
         */
        readonly put: operations["setSaved"];
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/contrast": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * By what do spans or logs of a selection differ from the rest?
         * @description Compares the columns and attributes of the rows of a selection with those of all others that are looked at, or of a second selection, and answers with what tells the sides apart, the most telling first. At most 25,000 rows of each side are compared; the counts of a difference are of those. Each difference has the filters that show its rows. The body of a log is not compared. Closing the connection stops it; after ten seconds the answer is of what was looked at until then, and says so.
         */
        readonly post: operations["contrast"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/status": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * The state of the server
         * @description The same as at `/metrics`. Counts begin when the server starts.
         */
        readonly get: operations["status"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/incidents/{id}/actions": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * What can be done about an incident
         * @description Which actions fit its findings, what helps most first, and those that were proposed about it. Names, reasons and times in proposals are for a person to change.
         */
        readonly get: operations["fittingActions"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/actions": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * List actions
         * @description All that were proposed, the newest first, and how each stands. What nobody confirmed within a day is left out.
         */
        readonly get: operations["listActions"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/actions/propose": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Propose an action
         * @description Makes a link at which the action can be confirmed within a day. Changes nothing.
         */
        readonly post: operations["proposeAction"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/actions/switch": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Stop all actions, or go on
         * @description With `why` nothing in the account is changed any more, until it is sent without. What was done can be undone either way.
         */
        readonly post: operations["switchActions"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/actions/sources": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * List from where a function takes events
         * @description The function's event source mappings as the account has them, the first hundred, by the names that people call them, for whoever wants to disable one. Read through whoever does actions, so nothing is read where they are off. Changes nothing.
         */
        readonly get: operations["listSources"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/actions/{id}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Show what an action would do
         * @description For whoever has its link: the exact calls, the policy, what to know, how it is undone, what a dry run says, and what it would touch in numbers of the last hour. Changes nothing.
         */
        readonly get: operations["showAction"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/actions/{id}/undo": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Undo an action
         * @description Puts back what was before. What somebody has changed since is left as it is. Neither the switch nor the limit stops it.
         */
        readonly post: operations["undoAction"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/actions/{id}/keep": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Keep what is tried
         * @description Another memory size that is tried does not end by itself any more. Nothing in the account changes by it, and it can be undone as before. Neither the switch nor the limit stops it.
         */
        readonly post: operations["keepAction"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/act/{id}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Do what was proposed
         * @description Once. `GET` shows the page, and never acts. Needs the key of the link besides that of the server.
         */
        readonly post: operations["confirmAction"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/audit": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * List the audit log
         * @description Everything that was proposed, done and undone, by whom and with which request ids, the newest first.
         */
        readonly get: operations["listAudit"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/alerts": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Show objectives and alerts
         * @description What somebody has set to be watched, and how it does: the budget of each objective and how quickly it goes, the state of each alert.
         */
        readonly get: operations["showAlerts"];
        /**
         * Say what is watched
         * @description Replaces all objectives and alerts. What keeps its name and its question keeps what is known of it; another target or another number of days asks nothing anew.
         */
        readonly put: operations["setAlerts"];
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/alertmanager": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Take the alerts of an Alertmanager
         * @description For `webhook_configs` of an Alertmanager. Each alert that fires is an incident of its own until it is resolved, or until it was not said again for 25 hours. What this server told the Alertmanager is left out. Also takes a list of alerts, as `/api/v2/alerts` does.
         */
        readonly post: operations["takeWebhook"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v2/alerts": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Take the alerts of a Prometheus
         * @description Where a Prometheus expects an Alertmanager. Each alert is an incident of its own until its `endsAt` is over (five minutes from now if it does not say), and as long as it is said again. Also takes a webhook, as `/api/v1/alertmanager` does.
         */
        readonly post: operations["takeAlerts"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/notifications": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Show who is told of what
         * @description The settings, with secrets masked, what was told in the last week, and how sending does.
         */
        readonly get: operations["showNotifications"];
        /**
         * Say who is told of what
         * @description Replaces the settings. A secret that reads as `mask` stays, for the same receiver and the same place.
         */
        readonly put: operations["setNotifications"];
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/notifications/test": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Send a sample to a receiver
         * @description And say what the other side said, for each address. Nothing of it is remembered.
         */
        readonly post: operations["testNotifications"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/notifications/unsubscribe": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Ask whether to stop mails
         * @description A page with a button; it changes nothing, because scanners of mails open every link. Needs no key: the link is signed.
         */
        readonly get: operations["askToUnsubscribe"];
        readonly put?: never;
        /**
         * Stop mails to an address
         * @description With one click of a mail program (RFC 8058) or with the button of the page. Needs no key: the link is signed.
         */
        readonly post: operations["unsubscribe"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * @description Id of a trace: 32 lower-case hexadecimal digits.
         * @example 5b8efff798038103d269b633813fc60c
         */
        readonly TraceId: string;
        /**
         * @description Id of a span: 16 lower-case hexadecimal digits.
         * @example eee19b7ec3c1b174
         */
        readonly SpanId: string;
        /**
         * @description A point in time: nanoseconds since 1970-01-01T00:00:00Z as a decimal string, because JavaScript numbers cannot hold it. "0" means not known.
         * @example 1795228800000000000
         */
        readonly UnixNanos: string;
        /**
         * @description A span of time: nanoseconds as a decimal string.
         * @example 42000000
         */
        readonly Nanos: string;
        /** @description A value of an attribute or the body of a log: OTLP's AnyValue as plain JSON. Bytes are lower-case hexadecimal text. Doubles that JSON cannot hold (NaN, infinities) are null. Integers are 64 bits wide. */
        readonly Value: null | boolean | number | string | readonly components["schemas"]["Value"][] | {
            readonly [key: string]: components["schemas"]["Value"];
        };
        /**
         * @description Named values. A key that was sent twice keeps its first value.
         * @example {
         *       "http.request.method": "GET",
         *       "http.response.status_code": 200
         *     }
         */
        readonly Attributes: {
            readonly [key: string]: components["schemas"]["Value"];
        };
        /** @description The library, or the stream of the platform, that made a span or a log. */
        readonly Scope: {
            /** @description Its name; empty if not said. `throughline.platform`, `throughline.function` and `throughline.extension` mark what the extension made from Lambda's own telemetry. */
            readonly name: string;
            /** @description Its version; empty if not said. */
            readonly version: string;
        };
        /** @description What one service adds to a trace. */
        readonly ServiceCount: {
            /** @description The service. */
            readonly name: string;
            /** @description How many spans of the trace are its. */
            readonly span_count: number;
            /** @description How many of those failed. */
            readonly error_count: number;
        };
        /**
         * @description One line of the list of traces.
         * @example {
         *       "trace_id": "5b8efff798038103d269b633813fc60c",
         *       "root_service": "checkout",
         *       "root_name": "checkout",
         *       "start_unix_nanos": "1795228800000000000",
         *       "duration_nanos": "42000000",
         *       "span_count": 3,
         *       "error_count": 0,
         *       "cold_start_count": 1,
         *       "status": "ok",
         *       "services": [
         *         {
         *           "name": "checkout",
         *           "span_count": 2,
         *           "error_count": 0
         *         },
         *         {
         *           "name": "inventory",
         *           "span_count": 1,
         *           "error_count": 0
         *         }
         *       ],
         *       "continues": false
         *     }
         */
        readonly TraceSummary: {
            /** @description The trace. */
            readonly trace_id: components["schemas"]["TraceId"];
            /** @description Service of the root span; null if the trace has logs but no spans. */
            readonly root_service: string | null;
            /** @description Name of the root span: the earliest span without a parent, or, while none has arrived, the earliest whose parent is missing. */
            readonly root_name: string | null;
            /** @description When the first span began. */
            readonly start_unix_nanos: components["schemas"]["UnixNanos"];
            /** @description From the first start to the last end. */
            readonly duration_nanos: components["schemas"]["Nanos"];
            /** @description How many spans the trace has so far. */
            readonly span_count: number;
            /** @description How many of them failed. */
            readonly error_count: number;
            /** @description How many invocations of the trace began with a cold start. */
            readonly cold_start_count: number;
            /**
             * @description `error` if any span failed.
             * @enum {string}
             */
            readonly status: "ok" | "error";
            /** @description The services of the trace, in the order in which they first appear. */
            readonly services: readonly components["schemas"]["ServiceCount"][];
            /** @description Whether what the trace began with names another trace, in a span link, that it goes on from: ask for it by id to see all of it. What only a key tells is not known in a list. */
            readonly continues: boolean;
        };
        /** @description One page of the list of traces. */
        readonly TracePage: {
            /** @description Newest first. */
            readonly traces: readonly components["schemas"]["TraceSummary"][];
            /** @description How many traces match from this page on, itself included; all of them on the first page. A lower bound if `truncated`. */
            readonly total: number;
            /** @description Whether the search stopped at a limit before it had looked at everything. */
            readonly truncated: boolean;
            /** @description Give this as `cursor` to get the next page; null on the last one. */
            readonly next_cursor: string | null;
            /** @description What the search took. */
            readonly cost: components["schemas"]["QueryCost"];
        };
        /** @description What emitted telemetry. */
        readonly Resource: {
            readonly attributes: components["schemas"]["Attributes"];
        };
        /**
         * @description The role of a span in an exchange.
         * @enum {string}
         */
        readonly SpanKind: "unspecified" | "internal" | "server" | "client" | "producer" | "consumer";
        /**
         * @description How a span ended. `unset` counts as no error.
         * @enum {string}
         */
        readonly SpanStatus: "unset" | "ok" | "error";
        /** @description Something that happened during a span, such as an exception. */
        readonly SpanEvent: {
            /** @description When. */
            readonly time_unix_nanos: components["schemas"]["UnixNanos"];
            /** @description What, `exception` for instance. */
            readonly name: string;
            readonly attributes: components["schemas"]["Attributes"];
        };
        /** @description A pointer to a span of this or another trace. */
        readonly SpanLink: {
            readonly trace_id: components["schemas"]["TraceId"];
            readonly span_id: components["schemas"]["SpanId"];
            readonly attributes: components["schemas"]["Attributes"];
        };
        /** @description One step of a trace. */
        readonly Span: {
            /** @description The trace that it was sent in. */
            readonly trace_id: components["schemas"]["TraceId"];
            readonly span_id: components["schemas"]["SpanId"];
            /** @description Its parent here, or while that is missing the one that it names; null for a root. */
            readonly parent_span_id: string | null;
            /** @description Whether it names a parent that is not here (yet), or that cannot be its parent because the two would form a circle. It is then drawn as a root. */
            readonly parent_missing: boolean;
            /** @description How many ancestors it has here. */
            readonly depth: number;
            /** @description What was done. */
            readonly name: string;
            readonly kind: components["schemas"]["SpanKind"];
            /** @description When it began. */
            readonly start_unix_nanos: components["schemas"]["UnixNanos"];
            /** @description How long it took; "0" if it ended before it began. */
            readonly duration_nanos: components["schemas"]["Nanos"];
            readonly status: components["schemas"]["SpanStatus"];
            /** @description Why it failed, if it says so. */
            readonly status_message: string;
            /** @description The service that emitted it. */
            readonly service: string;
            /** @description Index into `resources`. */
            readonly resource: number;
            readonly scope: components["schemas"]["Scope"];
            readonly attributes: components["schemas"]["Attributes"];
            /** @description In the order sent. */
            readonly events: readonly components["schemas"]["SpanEvent"][];
            /** @description In the order sent. */
            readonly links: readonly components["schemas"]["SpanLink"][];
            /** @description The span that it names as its parent, as it was sent. */
            readonly sent_parent_span_id: string | null;
            /** @description Why that is its parent, if its trace does not say so. */
            readonly join: components["schemas"]["Join"] | null;
            /** @description Whether nobody sent it: a queue, topic, bus or the like that a record came through, as long as it waited there. Attributes `throughline.hop.kind` and `throughline.hop.name` say which. */
            readonly inferred: boolean;
            /** @description Which attempt it is at a request that was tried more than once. */
            readonly attempt: number | null;
            /** @description What it cost; null if it is no invocation. */
            readonly cost: components["schemas"]["InvocationCost"] | null;
        };
        /** @description A span and its trace. */
        readonly SpanAt: {
            readonly trace_id: components["schemas"]["TraceId"];
            readonly span_id: components["schemas"]["SpanId"];
        };
        /** @description That one span goes on from another. */
        readonly Join: {
            /** @description The span that it goes back to, which may not have arrived. */
            readonly from: components["schemas"]["SpanAt"];
            /** @description The span that goes on. */
            readonly to: components["schemas"]["SpanAt"];
            /**
             * @description `carried`: it names it, as its parent or in a link. `matched`: both have a key that nobody else has, such as the id of a message. `inferred`: both have a key that probably nobody else has, such as the digest of a body.
             * @enum {string}
             */
            readonly how: "carried" | "matched" | "inferred";
            /** @description The key that both have, as `kind:value`; null if there is none. */
            readonly key: string | null;
        };
        /** @description What invocations are estimated to have cost. */
        readonly StoryCost: {
            /** @description US dollars, of those whose report came. */
            readonly usd: number;
            /** @description How many invocations those are. */
            readonly reported: number;
            /** @description Invocations of which it is not known. */
            readonly missing: number;
        };
        /** @description What one invocation is estimated to have cost. */
        readonly InvocationCost: {
            /** @description US dollars; null if its report is not here. */
            readonly usd: number | null;
            /** @description The same of all invocations from this one on, itself included. */
            readonly with_all_below: components["schemas"]["StoryCost"];
        };
        /** @description A request that was tried more than once. */
        readonly Attempts: {
            /** @description Its id. */
            readonly request_id: string;
            /** @description The invocations, the first one first. */
            readonly spans: readonly components["schemas"]["SpanAt"][];
        };
        /** @description What the id turned out to be. */
        readonly FoundBy: {
            /**
             * @description `trace` and `request`: their id. `key`: what passed between two functions. `attribute`: the value of one. `log`: words of a log record.
             * @enum {string}
             */
            readonly what: "trace" | "request" | "key" | "attribute" | "log";
            /** @description The key with its kind, or the name of the attribute; else null. */
            readonly name: string | null;
        };
        /** @description What is not here. */
        readonly LeftOut: {
            /** @description Traces that belong to it and that there was no room for, at least. */
            readonly trace_count: number;
            /** @description Whether there may be others that were not looked for, or more spans or logs of its traces. */
            readonly partial: boolean;
        };
        /** @description A span that was found. */
        readonly FoundSpan: {
            readonly trace_id: components["schemas"]["TraceId"];
            readonly span_id: components["schemas"]["SpanId"];
            /** @description The span that caused it, as it was sent; null for a root. */
            readonly parent_span_id: string | null;
            /** @description What was done. */
            readonly name: string;
            readonly kind: components["schemas"]["SpanKind"];
            /** @description When it began. */
            readonly start_unix_nanos: components["schemas"]["UnixNanos"];
            /** @description How long it took; "0" if it ended before it began. */
            readonly duration_nanos: components["schemas"]["Nanos"];
            readonly status: components["schemas"]["SpanStatus"];
            /** @description Why it failed, if it says so. */
            readonly status_message: string;
            /** @description The service that emitted it. */
            readonly service: string;
            readonly resource: components["schemas"]["Resource"];
            readonly scope: components["schemas"]["Scope"];
            readonly attributes: components["schemas"]["Attributes"];
            /** @description In the order sent. */
            readonly events: readonly components["schemas"]["SpanEvent"][];
            /** @description In the order sent. */
            readonly links: readonly components["schemas"]["SpanLink"][];
        };
        /** @description One page of spans. */
        readonly SpanPage: {
            /** @description In the order that was asked for. */
            readonly spans: readonly components["schemas"]["FoundSpan"][];
            /** @description How many spans match from this page on, itself included; all of them on the first page. A lower bound if `truncated`. */
            readonly total: number;
            /** @description Whether the search stopped at a limit before it had looked at everything. */
            readonly truncated: boolean;
            /** @description Give this as `cursor` to get the next page; null on the last one. */
            readonly next_cursor: string | null;
            /** @description What the search took. */
            readonly cost: components["schemas"]["QueryCost"];
        };
        /** @description One log record. */
        readonly Log: {
            /** @description When it was written, or, if that is not known, when it was first seen. */
            readonly time_unix_nanos: components["schemas"]["UnixNanos"];
            /** @description 1 to 24 as in OTLP (5 debug, 9 info, 13 warn, 17 error, 21 fatal); 0 if not known. */
            readonly severity_number: number;
            /** @description The level as the program wrote it. */
            readonly severity_text: string;
            /** @description The message. */
            readonly body: components["schemas"]["Value"];
            /** @description The trace during which it was written. */
            readonly trace_id: string | null;
            /** @description The span during which it was written. */
            readonly span_id: string | null;
            /** @description The service that wrote it. */
            readonly service: string;
            readonly scope: components["schemas"]["Scope"];
            readonly attributes: components["schemas"]["Attributes"];
            /** @description Name of the kind of event; empty if it has none. */
            readonly event_name: string;
        };
        /** @description One user action: its summary, its spans as a tree laid out in order, its logs, and how its traces belong together. */
        readonly Trace: {
            /** @description The trace that was asked for, or the first that has the id. */
            readonly trace_id: components["schemas"]["TraceId"];
            /** @description Service of the root span; null if the trace has logs but no spans. */
            readonly root_service: string | null;
            /** @description Name of the root span: the earliest span without a parent, or, while none has arrived, the earliest whose parent is missing. */
            readonly root_name: string | null;
            /** @description When the first span began. */
            readonly start_unix_nanos: components["schemas"]["UnixNanos"];
            /** @description From the first start to the last end. */
            readonly duration_nanos: components["schemas"]["Nanos"];
            /** @description How many spans the trace has so far. */
            readonly span_count: number;
            /** @description How many of them failed. */
            readonly error_count: number;
            /** @description How many invocations of the trace began with a cold start. */
            readonly cold_start_count: number;
            /**
             * @description `error` if any span failed.
             * @enum {string}
             */
            readonly status: "ok" | "error";
            /** @description The services of the trace, in the order in which they first appear. */
            readonly services: readonly components["schemas"]["ServiceCount"][];
            /** @description What the spans point to with `resource`. */
            readonly resources: readonly components["schemas"]["Resource"][];
            /** @description Depth first: parents before children, siblings by start. */
            readonly spans: readonly components["schemas"]["Span"][];
            /** @description In order of time. */
            readonly logs: readonly components["schemas"]["Log"][];
            readonly found_by: components["schemas"]["FoundBy"];
            /** @description The traces that it is in, those asked for and what they go back to first. */
            readonly trace_ids: readonly components["schemas"]["TraceId"][];
            /** @description How spans belong together beyond the parents within a trace. */
            readonly joins: readonly components["schemas"]["Join"][];
            /** @description Requests that were tried more than once. */
            readonly attempts: readonly components["schemas"]["Attempts"][];
            /** @description What all invocations cost; null where there are none. */
            readonly cost: components["schemas"]["StoryCost"] | null;
            readonly left_out: components["schemas"]["LeftOut"];
            /** @description Whether what the trace began with names another trace, in a span link, that it goes on from and that is not here. */
            readonly continues: boolean;
        };
        /** @description One page of logs. */
        readonly LogPage: {
            /** @description In the order that was asked for. */
            readonly logs: readonly components["schemas"]["Log"][];
            /** @description How many logs match from this page on, itself included; all of them on the first page. A lower bound if `truncated`. */
            readonly total: number;
            /** @description Whether the search stopped at a limit before it had looked at everything. */
            readonly truncated: boolean;
            /** @description Give this as `cursor` to get the next page; null on the last one. */
            readonly next_cursor: string | null;
            /** @description What the search took. */
            readonly cost: components["schemas"]["QueryCost"];
        };
        /** @description One service that has sent spans. */
        readonly Service: {
            /** @description Its `service.name`; `unknown_service` if it said none. */
            readonly name: string;
            /** @description How many spans it has sent. One sent twice counts once. */
            readonly span_count: number;
            /** @description How many of them failed. */
            readonly error_count: number;
            /** @description Names of its spans, sorted; at most 100. */
            readonly operations: readonly string[];
            /** @description End of its newest span, whatever `from` and `to` say. */
            readonly last_seen_unix_nanos: components["schemas"]["UnixNanos"];
        };
        /** @description The services. */
        readonly ServiceList: {
            /** @description Sorted by name. */
            readonly services: readonly components["schemas"]["Service"][];
            /** @description How many there are. */
            readonly total: number;
            /** @description Whether some were left out. */
            readonly truncated: boolean;
            /** @description What it took. */
            readonly cost: components["schemas"]["QueryCost"];
        };
        /** @description The spans of a service that have one name and one kind. */
        readonly Operation: {
            /** @description Whose. */
            readonly service: string;
            /** @description Their name; `(other)` where a service has too many. */
            readonly name: string;
            /** @description Their kind. */
            readonly kind: components["schemas"]["SpanKind"];
            /** @description How many there are, each counted once. */
            readonly count: number;
            /** @description How many of them failed. */
            readonly error_count: number;
            /** @description How many of them were cold starts. */
            readonly cold_start_count: number;
            /** @description How long they took all together. */
            readonly sum_ms: number;
            /** @description The median of their durations, to about 1 %. */
            readonly p50_ms: number;
            /** @description Their 99th percentile, to about 1 %. */
            readonly p99_ms: number;
        };
        /** @description What services do. */
        readonly OperationList: {
            /** @description Those with the most spans first. */
            readonly operations: readonly components["schemas"]["Operation"][];
            /** @description How many there are. */
            readonly total: number;
            /** @description Whether there are others than those listed. */
            readonly truncated: boolean;
            /** @description What it took. */
            readonly cost: components["schemas"]["QueryCost"];
        };
        /** @description Somebody who calls or is called. */
        readonly MapNode: {
            /** @description What edges call it: its kind and its name. */
            readonly id: string;
            /**
             * @description What it is.
             * @enum {string}
             */
            readonly kind: "function" | "service" | "table" | "queue" | "topic" | "bus" | "stream" | "bucket" | "database" | "cache" | "host" | "other";
            /** @description Its name. */
            readonly name: string;
            /** @description Of a function the service that it belongs to, if its own spans say so. */
            readonly service: string | null;
        };
        /** @description What somebody has called, and how often. */
        readonly MapEdge: {
            /** @description The `id` of the caller. */
            readonly from: string;
            /** @description The `id` of whom it calls. */
            readonly to: string;
            /** @description What for: the name of the callee's own span, or what the caller says. */
            readonly operation: string;
            /** @description Whether nobody waits for what comes of it. */
            readonly asynchronous: boolean;
            /** @description How many calls there were. */
            readonly count: number;
            /** @description How many of them failed. */
            readonly error_count: number;
            /** @description How many were refused because there were too many, as far as the caller says so. */
            readonly throttle_count: number;
            /** @description Calls a second. */
            readonly rate: number;
            /** @description How long they took all together. */
            readonly sum_ms: number;
            /** @description The median of their durations, to about 1 %. */
            readonly p50_ms: number;
            /** @description Their 99th percentile, to about 1 %. */
            readonly p99_ms: number;
        };
        /** @description What calls what. */
        readonly EdgeMap: {
            /** @description When the first minute that counts begins. */
            readonly from_unix_nanos: components["schemas"]["UnixNanos"];
            /** @description When the last one ends. */
            readonly to_unix_nanos: components["schemas"]["UnixNanos"];
            /** @description Both ends of all edges that are listed, sorted by id. */
            readonly nodes: readonly components["schemas"]["MapNode"][];
            /** @description Those with the most calls first. */
            readonly edges: readonly components["schemas"]["MapEdge"][];
            /** @description How many edges there are. */
            readonly total: number;
            /** @description Whether there are others than those listed. */
            readonly truncated: boolean;
            /** @description Calls in minutes with too many edges, whoever called whom; they are the edge `other:(other)`. */
            readonly other_count: number;
            /** @description What it took. */
            readonly cost: components["schemas"]["QueryCost"];
        };
        /**
         * @description A query to the graph.
         * @example {
         *       "query": "MATCH (t:Table {name: 'orders'})<-[c:WRITES]-(f) RETURN f.name, c.operation, c.calls DURING 'last 1h'"
         *     }
         */
        readonly GraphQuestion: {
            /** @description In the subset of openCypher, at most 16 KiB. */
            readonly query: string;
            /** @description From when on, where the query has no `DURING`; an hour before `to` unless it is given. */
            readonly from?: components["schemas"]["UnixNanos"] | null;
            /** @description Up to when; now unless it is given. */
            readonly to?: components["schemas"]["UnixNanos"] | null;
            /**
             * @description How far the asker's clock is ahead of UTC, for times in words.
             * @default 0
             */
            readonly utc_offset_minutes: number;
        };
        /** @description A value: a node by its id, a relationship by its ends, a path by the ids of its nodes. Times are RFC 3339, integers beyond 2^53 are text. */
        readonly GraphCell: (string | number | boolean | null) | readonly components["schemas"]["GraphCell"][] | {
            /** @description The `id` of a node. */
            readonly node: string;
        } | {
            /** @description The `id` of the caller. */
            readonly from: string;
            /** @description The `id` of whom it calls. */
            readonly to: string;
            /** @description Its type. */
            readonly type: string;
            /** @description What for. */
            readonly operation: string;
        } | {
            /** @description The ids of its nodes. */
            readonly path: readonly string[];
            /** @description The types of what is between them. */
            readonly types: readonly string[];
        };
        /** @description A window. */
        readonly GraphTimes: {
            /** @description Its beginning. */
            readonly from_unix_nanos: components["schemas"]["UnixNanos"];
            /** @description Its end. */
            readonly to_unix_nanos: components["schemas"]["UnixNanos"];
        };
        /** @description What a query to the graph found. */
        readonly GraphAnswer: {
            /** @description The columns, in the order of the cells. */
            readonly columns: readonly {
                /** @description Its name. */
                readonly name: string;
                /**
                 * @description In what its values are, as far as that is plain. A share is from 0 to 1.
                 * @enum {string|null}
                 */
                readonly unit: "count" | "ms" | "per_second" | "share" | "time" | "usd" | null;
            }[];
            /** @description A list of cells for each row, at most 1,000. */
            readonly rows: readonly (readonly components["schemas"]["GraphCell"][])[];
            /** @description How many rows there are before `SKIP` and `LIMIT`; at least so many if it was stopped. */
            readonly total: number;
            /** @description Whether this is not all that was asked for. */
            readonly truncated: boolean;
            /**
             * @description Why: there are more `rows` than an answer has; so many were `held` to be put in order, or so many `steps` were taken, that the rest was not looked for; or the `time` was over.
             * @enum {string|null}
             */
            readonly cut: "rows" | "held" | "steps" | "time" | null;
            /** @description The window that it is about. */
            readonly during: components["schemas"]["GraphTimes"];
            /** @description The window that it is compared with. */
            readonly compared: components["schemas"]["GraphTimes"] | null;
            /** @description What the first rows are about: some sixty nodes. */
            readonly nodes: readonly {
                /** @description What edges call it. */
                readonly id: string;
                /**
                 * @description What it is.
                 * @enum {string}
                 */
                readonly kind: "function" | "service" | "table" | "queue" | "topic" | "bus" | "stream" | "bucket" | "database" | "cache" | "host" | "operation" | "other";
                /** @description Its name. */
                readonly name: string;
                /** @description Of a function the service that it belongs to, if its own spans say so. */
                readonly service: string | null;
            }[];
            /** @description What is between those nodes, as far as the rows are about it; of several hops one of the shortest ways. */
            readonly edges: readonly components["schemas"]["MapEdge"][];
            /** @description The graph that was looked through. */
            readonly searched: {
                /** @description How many nodes it has. */
                readonly nodes: number;
                /** @description How many relationships. */
                readonly edges: number;
                /** @description Edges that there was no room for, those with the fewest calls. */
                readonly left_out: number;
                /** @description Calls in minutes with too many edges, which are in none. */
                readonly other_count: number;
                /** @description How many relationships and rows were looked at. */
                readonly steps: number;
            };
            /** @description What it took. */
            readonly cost: components["schemas"]["QueryCost"];
        };
        /** @description A word of the language. */
        readonly GraphWord: {
            /** @description As it is written. */
            readonly name: string;
            /** @description What it means. */
            readonly means: string;
        };
        /** @description What can be asked of the graph. */
        readonly GraphLanguage: {
            /** @description What nodes may be. */
            readonly labels: readonly components["schemas"]["GraphWord"][];
            /** @description What is between them. */
            readonly types: readonly components["schemas"]["GraphWord"][];
            /** @description What both have. Of numbers there are `before_` and `Δ` too, with `COMPARED TO`. */
            readonly properties: readonly {
                /** @description As it is written. */
                readonly name: string;
                /** @description What it means. */
                readonly means: string;
                /**
                 * @description Who has it.
                 * @enum {string}
                 */
                readonly of: "nodes" | "relationships" | "both";
                /**
                 * @description In what it is, if it is a number or a time.
                 * @enum {string|null}
                 */
                readonly unit: "count" | "ms" | "per_second" | "share" | "time" | "usd" | null;
            }[];
            /** @description Functions, those that aggregate first. */
            readonly functions: readonly components["schemas"]["GraphWord"][];
            /** @description Questions that are asked often. */
            readonly questions: readonly {
                /** @description In words. */
                readonly title: string;
                /**
                 * @description What it is asked of; `$NAME` in the query stands for its name.
                 * @enum {string|null}
                 */
                readonly about: "function" | "resource" | null;
                /** @description The query. */
                readonly query: string;
            }[];
        };
        /** @description What a function is estimated to have cost. */
        readonly FunctionCost: {
            /** @description Its `service.name`. */
            readonly service: string;
            /** @description Its `faas.name`. */
            readonly function: string;
            /** @description Reports of invocations that said what they cost. */
            readonly report_count: number;
            /** @description All together, in US dollars. */
            readonly usd: number;
        };
        /** @description What functions are estimated to have cost. */
        readonly CostList: {
            /** @description When the first minute that counts begins. */
            readonly from_unix_nanos: components["schemas"]["UnixNanos"];
            /** @description When the last one ends. */
            readonly to_unix_nanos: components["schemas"]["UnixNanos"];
            /** @description Those that cost most first. */
            readonly functions: readonly components["schemas"]["FunctionCost"][];
            /** @description What all of them cost, those that are not listed included. */
            readonly usd: number;
            /** @description How many there are. */
            readonly total: number;
            /** @description Whether there are others than those listed. */
            readonly truncated: boolean;
            /** @description What the question took. */
            readonly cost: components["schemas"]["QueryCost"];
        };
        /** @description How long records waited. */
        readonly WaitList: {
            /** @description In order of kind and name. */
            readonly waits: readonly components["schemas"]["Wait"][];
            /** @description How many spans of functions were looked at. */
            readonly span_count: number;
            /** @description Whether there are more of them. */
            readonly truncated: boolean;
            /** @description What the question took. */
            readonly cost: components["schemas"]["QueryCost"];
        };
        /** @description How long records waited in one service, or for one function. */
        readonly Wait: {
            /** @description The id of the node on the map: `queue:NAME`, or `function:NAME` for the whole way to it, from the first service on. */
            readonly id: string;
            /** @description How many records that is of. */
            readonly count: number;
            /** @description Half of them waited at most so long. */
            readonly p50_ms: number;
            /** @description The one that waited longest. */
            readonly longest_ms: number;
        };
        /** @description Which memory a function should have. */
        readonly FunctionAdvice: {
            /** @description Which one. */
            readonly function: string;
            /** @description Of invocations since then. */
            readonly from_unix_nanos: components["schemas"]["UnixNanos"];
            /** @description And before then. */
            readonly to_unix_nanos: components["schemas"]["UnixNanos"];
            /** @description What is said, in one line: the recommendation, that the size is right, or why nothing is said. */
            readonly sentence: string;
            /** @description What is predicted; null where nothing can be said. */
            readonly advice: components["schemas"]["SizeAdvice"] | null;
            /**
             * @description Why nothing is said: fewer than 50 invocations with the last size and their processor time; nobody measured processor time; it uses more of the processor than its size gives; or its times are too unlike.
             * @enum {string|null}
             */
            readonly why_not: "too_few" | "no_processor_time" | "faster_than_its_share" | "too_unlike" | null;
            /** @description The last change of its size within the time; null if there was none, or if nothing could have been predicted of it. */
            readonly change: components["schemas"]["SizeChange"] | null;
        };
        /** @description What is predicted of a function. */
        readonly SizeAdvice: {
            /** @description From how many invocations. */
            readonly invocation_count: number;
            /** @description The mean processor time of an invocation. */
            readonly cpu_ms: number;
            /** @description What is left of the mean time with a processor of its own: waiting for others. */
            readonly wait_ms: number;
            /** @description How many processors it was seen to use at once. */
            readonly processors: number;
            /** @description The most memory that was used, in MB; null if no report says it. */
            readonly memory_used_mb: number | null;
            /** @description Whose prices were taken. */
            readonly price_region: string;
            /** @description With the size that it has. */
            readonly now: components["schemas"]["SizePoint"];
            /** @description From 128 MB to 10,240 MB, every 64 MB, and the size that it has. */
            readonly curve: readonly components["schemas"]["SizePoint"][];
            /** @description Three sizes of the curve; null where no size fits. */
            readonly named: components["schemas"]["NamedSizes"] | null;
            /** @description The size that it should have; null where a change is not worth it. */
            readonly recommendation: components["schemas"]["SizeRecommendation"] | null;
            /** @description What else would be better. */
            readonly also: readonly components["schemas"]["SizeHint"][];
            /** @description Other sizes that it had within the same invocations, and what is predicted for them. */
            readonly seen: readonly components["schemas"]["SizeSeen"][];
        };
        /** @description A function with some memory size. */
        readonly SizePoint: {
            /** @description The size, in MB. */
            readonly memory_mb: number;
            /** @description The mean time of an invocation, in milliseconds. */
            readonly duration_ms: components["schemas"]["Interval"];
            /** @description The 99th percentile of it; of fewer than a hundred invocations the longest. */
            readonly slow_ms: number;
            /** @description The mean cost of an invocation, in US dollars, with its part of the initialisations. */
            readonly usd: components["schemas"]["Interval"];
            /**
             * @description Whether it should have this size at all: a third more than the most that it used must fit, and it must not take longer than now and more than half of its timeout.
             * @enum {string}
             */
            readonly fits: "yes" | "too_little_memory" | "near_timeout";
        };
        /** @description A number, and where the true one lies at 95 %. */
        readonly Interval: {
            /** @description The best guess. */
            readonly value: number;
            /** @description Hardly less. */
            readonly low: number;
            /** @description Hardly more. */
            readonly high: number;
        };
        /** @description Three sizes that fit, in MB. */
        readonly NamedSizes: {
            /** @description Costs least. */
            readonly cheapest_mb: number;
            /** @description The least sum of cost and time, each as a part of the most of it on the curve. */
            readonly balanced_mb: number;
            /** @description The smallest within a hundredth of the least time. */
            readonly fastest_mb: number;
        };
        /** @description A size that is worth a change: a tenth cheaper, or 15 % faster for at most 2 % more, neither by chance. */
        readonly SizeRecommendation: {
            /** @description What is predicted with it. */
            readonly point: components["schemas"]["SizePoint"];
            /** @description The mean time as a part of what it is now. */
            readonly duration_ratio: components["schemas"]["Interval"];
            /** @description The mean cost as a part of what it is now. */
            readonly cost_ratio: components["schemas"]["Interval"];
            /** @description The same in one line. */
            readonly sentence: string;
        };
        /** @description What else would be better. */
        readonly SizeHint: {
            /**
             * @description What it is about.
             * @enum {string}
             */
            readonly kind: "more_memory" | "arm64" | "timeout_near" | "timeout_far" | "provisioned";
            /** @description In one line. */
            readonly sentence: string;
        };
        /** @description A prediction that can be looked at: the function has also run with this size. */
        readonly SizeSeen: {
            /** @description The size, in MB. */
            readonly memory_mb: number;
            /** @description How many invocations. */
            readonly invocation_count: number;
            /** @description What they took in the mean. */
            readonly duration_ms: number;
            /** @description What is predicted for them. */
            readonly predicted_ms: components["schemas"]["Interval"];
        };
        /** @description A change of the memory size, held against what would have been said of it before. */
        readonly SizeChange: {
            /** @description When the first invocation with the size that it has now was reported. */
            readonly at_unix_nanos: components["schemas"]["UnixNanos"];
            /** @description With the size before. */
            readonly before: components["schemas"]["SizePoint"];
            /** @description What was predicted for the size that it has now. */
            readonly predicted: components["schemas"]["SizePoint"];
            /**
             * @description Fewer than 200 invocations since; as was predicted, or better; or slower than that, so that the size before may be better.
             * @enum {string}
             */
            readonly verdict: "too_early" | "as_predicted" | "slower";
            /** @description In one line. */
            readonly sentence: string;
        };
        /**
         * @description Why a request failed.
         * @example {
         *       "code": "TL0201",
         *       "message": "unknown parameter `servce`; this endpoint takes service, operation, status, min_duration_ms, attribute, from, to, limit, cursor"
         *     }
         */
        readonly Error: {
            /**
             * @description A stable code. `docs/errors/<code>.md` says what it means and what helps.
             * @example TL0201
             */
            readonly code: string;
            /** @description What is wrong with this request. */
            readonly message: string;
        };
        /** @description The server is up. */
        readonly Health: {
            /**
             * @description Always `ok`.
             * @constant
             */
            readonly status: "ok";
        };
        /**
         * @description A number of items (spans, log records, metrics) as a decimal string.
         * @example 5210
         */
        readonly Count: string;
        /** @description What came of each function, and what did not. */
        readonly Completeness: {
            /** @description By name. */
            readonly functions: readonly components["schemas"]["FunctionCompleteness"][];
            /** @description How many functions there are from this page on, itself included; all of them on the first page. */
            readonly total: number;
            /** @description Whether a list of what is missing was cut, or not all environments were looked into. Counts of items and environments are whole all the same. */
            readonly truncated: boolean;
            /** @description Give this as `cursor` to get the next page; null on the last one. */
            readonly next_cursor: string | null;
            /** @description What it took: `rows` are environments, `segments` what is not sealed yet. */
            readonly cost: components["schemas"]["QueryCost"];
        };
        /** @description What came of one function, and what did not. */
        readonly FunctionCompleteness: {
            /** @description Its name; empty for senders that do not say. */
            readonly function: string;
            /** @description Execution environments heard of. */
            readonly environments: number;
            /** @description Those of them from which more may come: no ledger said to be the last. */
            readonly environments_open: number;
            /** @description Environments that did not say that they end, the one that was heard of the longest ago first; at most 100 entries. */
            readonly open: readonly components["schemas"]["OpenEnvironment"][];
            /** @description What the extensions took in, as far as their ledgers got here. */
            readonly accepted: components["schemas"]["Count"];
            /** @description What is stored. */
            readonly received: components["schemas"]["Count"];
            /**
             * @description `received` of `accepted` in percent, rounded down. 100.00 only if nothing is known to be missing.
             * @example 99.53
             */
            readonly complete: string;
            /** @description What is missing, of the environment heard of last first; at most 100 entries. */
            readonly missing: readonly components["schemas"]["MissingBatches"][];
            /** @description How many entries there are, listed or not. A lower bound if `truncated`. */
            readonly missing_total: number;
            /**
             * @description Items that extensions gave up and that are not stored, by reason.
             * @example {
             *       "buffer_full": "24"
             *     }
             */
            readonly dropped: {
                readonly [key: string]: components["schemas"]["Count"];
            };
        };
        /** @description An environment that did not say that it ends. What it took in since it was heard of nobody but itself knows. */
        readonly OpenEnvironment: {
            /** @description Which environment. */
            readonly environment: string;
            /** @description When it was heard of last. */
            readonly last_seen_unix_nanos: components["schemas"]["UnixNanos"];
            /** @description Whether that is more than a day ago: it has ended without a word then. */
            readonly vanished: boolean;
        };
        /** @description Batches of an environment that are not stored, or items that never got into a batch. */
        readonly MissingBatches: {
            /** @description Which environment. */
            readonly environment: string;
            /** @description Number of the first batch; null for items that never got into a batch. */
            readonly first: number | null;
            /** @description Number of the last batch. */
            readonly last: number | null;
            /** @description How many items; null if nobody said. */
            readonly items: components["schemas"]["Count"] | null;
            /**
             * @description The reason of the extension where it gave them up (`buffer_full`, `rejected`, ...), or `on_its_way` (the environment still has them), `vanished` (it had them, and was not heard of for a day), `printed` (they are in CloudWatch Logs and were not read back yet: see POST /api/v1/cloudwatch), `unknown` (nothing says why).
             * @example buffer_full
             */
            readonly why: string;
            /** @description When the environment was heard of last. */
            readonly last_seen_unix_nanos: components["schemas"]["UnixNanos"];
        };
        /** @description What became of a delivery. */
        readonly Replayed: {
            /** @description Lines of logs that are not empty. */
            readonly lines: number;
            /** @description Envelopes in them that can be read. */
            readonly envelopes: number;
            /** @description Lines and messages of metric streams that can be read. */
            readonly metrics: number;
            /** @description Envelopes stored, and requests made of metric streams. */
            readonly stored: number;
            /** @description Those that were stored already. */
            readonly duplicates: number;
            /** @description Items stored. */
            readonly items: components["schemas"]["Count"];
            /** @description What could not be stored; at most 100 entries. */
            readonly problems: readonly components["schemas"]["LineProblem"][];
            /** @description How many there are, listed or not. */
            readonly problems_total: number;
        };
        /** @description Why something of a delivery was not stored. */
        readonly LineProblem: {
            /** @description Its line, from 1. Lines and messages of metric streams count among them. */
            readonly line: number;
            /** @description The code of a page in docs/errors. */
            readonly code: string;
            /** @description What is wrong. */
            readonly message: string;
        };
        /** @description What Firehose wants to hear. */
        readonly FirehoseAnswer: {
            /** @description As it was sent. */
            readonly requestId: string;
            /** @description When it was answered, in Unix milliseconds. */
            readonly timestamp: number;
            /** @description Why it must be sent again. */
            readonly errorMessage?: string;
        };
        /**
         * @description A question in SQL.
         * @example {
         *       "sql": "select service, count(*) from spans group by service"
         *     }
         */
        readonly SqlQuestion: {
            /** @description One statement: SELECT, WITH, SHOW or EXPLAIN. */
            readonly sql: string;
        };
        /**
         * @description What a query took.
         * @example {
         *       "rows": 5,
         *       "bytes": 80,
         *       "segments": 1,
         *       "rollups": 0,
         *       "elapsed_ms": 3.25
         *     }
         */
        readonly QueryCost: {
            /** @description Rows that were looked at. */
            readonly rows: number;
            /** @description Bytes of columns, unpacked, that were looked at. */
            readonly bytes: number;
            /** @description Segments and buffers that were read. */
            readonly segments: number;
            /** @description How many of the segments were rollups: rows that were summed up when they were sealed. */
            readonly rollups: number;
            /** @description Milliseconds from the question to the answer. */
            readonly elapsed_ms: number;
        };
        /**
         * @description Rows of an answer.
         * @example {
         *       "columns": [
         *         {
         *           "name": "service",
         *           "type": "text"
         *         },
         *         {
         *           "name": "n",
         *           "type": "int"
         *         }
         *       ],
         *       "rows": [
         *         [
         *           "checkout",
         *           12
         *         ],
         *         [
         *           null,
         *           1
         *         ]
         *       ],
         *       "truncated": false,
         *       "cost": {
         *         "rows": 13,
         *         "bytes": 80,
         *         "segments": 1,
         *         "rollups": 0,
         *         "elapsed_ms": 3.25
         *       }
         *     }
         */
        readonly Table: {
            /** @description The columns, in the order of the cells. */
            readonly columns: readonly {
                /** @description Its name. */
                readonly name: string;
                /**
                 * @description What its cells are. Times are RFC 3339.
                 * @enum {string}
                 */
                readonly type: "bool" | "int" | "double" | "time" | "text";
            }[];
            /** @description A list of cells for each row. Integers beyond 2^53 and numbers that JSON has no form for are text. */
            readonly rows: readonly (readonly (string | number | boolean | null)[])[];
            /** @description Whether there were more rows than an answer may have. */
            readonly truncated: boolean;
            readonly cost: components["schemas"]["QueryCost"];
        };
        /**
         * @description What to calculate, over which rows, in which groups.
         * @example {
         *       "breakdowns": [
         *         "service",
         *         "http.route"
         *       ],
         *       "calculations": [
         *         {
         *           "op": "COUNT"
         *         },
         *         {
         *           "op": "P99",
         *           "column": "duration_ms"
         *         }
         *       ],
         *       "filters": [
         *         {
         *           "column": "status",
         *           "op": "=",
         *           "value": "error"
         *         }
         *       ],
         *       "granularity": 60
         *     }
         */
        readonly QuerySpec: {
            /**
             * @description What is asked.
             * @default spans
             * @enum {string}
             */
            readonly dataset: "spans" | "logs" | "metrics";
            /** @description Columns and attributes whose values make the groups. */
            readonly breakdowns?: readonly string[];
            /** @description What to calculate for each group; the number of rows if nothing is said. */
            readonly calculations?: readonly {
                /** @description COUNT, RATE, SUM, AVG, MIN, MAX, COUNT_DISTINCT, HEATMAP, or a percentile from P0 to P100, such as P99 or P99.9; in capitals or not. */
                readonly op: string;
                /** @description A column or the key of an attribute. */
                readonly column?: string;
            }[];
            /** @description Which rows count. */
            readonly filters?: readonly {
                /** @description A column or the key of an attribute. */
                readonly column: string;
                /**
                 * @description How to compare. What says no holds for rows without a value.
                 * @enum {string}
                 */
                readonly op: "=" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "not-in" | "contains" | "does-not-contain" | "starts-with" | "does-not-start-with" | "ends-with" | "matches" | "exists" | "does-not-exist";
                /** @description With what: a text, a number, a truth value, or a list of them for `in` and `not-in`. */
                readonly value?: unknown;
            }[];
            /**
             * @description Whether all filters must hold or one of them.
             * @default AND
             * @enum {string}
             */
            readonly filter_combination: "AND" | "OR";
            /** @description Which groups are shown. */
            readonly havings?: readonly {
                /** @description COUNT, RATE, SUM, AVG, MIN, MAX, COUNT_DISTINCT, HEATMAP, or a percentile from P0 to P100, such as P99 or P99.9; in capitals or not. */
                readonly calculate_op: string;
                /** @description A column or the key of an attribute. */
                readonly column?: string;
                /**
                 * @description How to compare.
                 * @enum {string}
                 */
                readonly op: "=" | "!=" | "<" | "<=" | ">" | ">=";
                /** @description With what. */
                readonly value: number;
            }[];
            /** @description In which order; the first calculation, largest first, if nothing is said. */
            readonly orders?: readonly {
                /** @description COUNT, RATE, SUM, AVG, MIN, MAX, COUNT_DISTINCT, HEATMAP, or a percentile from P0 to P100, such as P99 or P99.9; in capitals or not. */
                readonly op?: string;
                /** @description A column or the key of an attribute. */
                readonly column?: string;
                /**
                 * @description Which end comes first.
                 * @default ascending
                 * @enum {string}
                 */
                readonly order: "ascending" | "descending";
            }[];
            /**
             * @description How many groups at most.
             * @default 100
             */
            readonly limit: number | null;
            /**
             * @description Seconds of time that are looked at, to `end_time` or from `start_time`.
             * @default 7200
             */
            readonly time_range: number | null;
            /** @description From when on, in seconds since 1970. */
            readonly start_time?: number | null;
            /** @description Up to when, in seconds since 1970; now if nothing is said. */
            readonly end_time?: number | null;
            /** @description Seconds of one point of the series. Without it there is no series. */
            readonly granularity?: number | null;
            /** @description `false`: from the rows, and not from what was summed up when they were sealed. */
            readonly rollup?: boolean;
        };
        /** @description A question under a name. It asks one thing: `query`, `sql` or `graph`. */
        readonly SavedQuery: {
            /** @description What people call it, each once: no control characters. */
            readonly name: string;
            readonly query?: components["schemas"]["QuerySpec"];
            /** @description A statement of SQL. */
            readonly sql?: string;
            /** @description A question to the graph. */
            readonly graph?: string;
        };
        /** @description Questions that are kept under names. */
        readonly SavedQueries: {
            /** @description In the order in which they are shown. */
            readonly queries?: readonly components["schemas"]["SavedQuery"][];
        };
        /** @description Questions that are kept under names, as the server has them. */
        readonly Saved: {
            /** @description In the order in which they are shown. */
            readonly queries: readonly components["schemas"]["SavedQuery"][];
            /** @description Tells these from those before and after them. */
            readonly edition: string;
        };
        /** @description What a query found. */
        readonly QueryAnswer: {
            readonly results: components["schemas"]["Table"];
            /** @description The same for each point of time, which is the first column, and the groups of the results only; null without a granularity. */
            readonly series: components["schemas"]["Table"] | null;
            /** @description For each heat map: time, the upper bound of a bucket of values, and how many rows are in it. A bucket reaches down to its bound divided by the fourth root of 2. */
            readonly heatmaps: readonly components["schemas"]["Table"][];
        };
        /** @description Some of the rows that are looked at. */
        readonly ContrastSide: {
            /** @description All of them must hold. */
            readonly filters?: readonly components["schemas"]["SearchFilter"][];
            /** @description Words of the body of a log, as in `GET /api/v1/logs`. */
            readonly q?: string;
            /** @description Those of then or later, in seconds since 1970; of spans, those that begin. */
            readonly start_time?: number | null;
            /** @description Those before then, in seconds since 1970. */
            readonly end_time?: number | null;
        };
        /**
         * @description Which spans or logs are looked at, and which of them are asked about.
         * @example {
         *       "time_range": 3600,
         *       "filters": [
         *         {
         *           "column": "kind",
         *           "op": "=",
         *           "value": "server"
         *         }
         *       ],
         *       "selection": {
         *         "filters": [
         *           {
         *             "column": "duration_ms",
         *             "op": ">",
         *             "value": 800
         *           }
         *         ]
         *       }
         *     }
         */
        readonly ContrastQuestion: {
            /**
             * @description What is compared.
             * @default spans
             * @enum {string}
             */
            readonly dataset: "spans" | "logs";
            /** @description Which rows are looked at: all of them must hold. */
            readonly filters?: readonly components["schemas"]["SearchFilter"][];
            /** @description Words of the body of a log, as in `GET /api/v1/logs`. */
            readonly q?: string;
            /**
             * @description Seconds of time that are looked at, to `end_time` or from `start_time`.
             * @default 7200
             */
            readonly time_range: number | null;
            /** @description From when on, in seconds since 1970. */
            readonly start_time?: number | null;
            /** @description Up to when, in seconds since 1970; now if nothing is said. */
            readonly end_time?: number | null;
            /** @description Those of which it is asked why they are different. */
            readonly selection: components["schemas"]["ContrastSide"];
            /** @description Those that they are compared with; all others if nothing is said. What is in both counts as selected. */
            readonly rest?: components["schemas"]["ContrastSide"] | null;
            /** @description Columns and attributes that are not compared. Those that the sides are made by never are. */
            readonly leave_out?: readonly string[];
            /**
             * @description How many differences at most.
             * @default 20
             */
            readonly limit: number | null;
        };
        /** @description What the selection has that the rest has not. */
        readonly ContrastAnswer: {
            /** @description The most telling first. */
            readonly differences: readonly components["schemas"]["Difference"][];
            /** @description How many differences there are. */
            readonly total: number;
            /** @description The rows of the selection. */
            readonly selection: components["schemas"]["ContrastRows"];
            /** @description Those that they are compared with. */
            readonly rest: components["schemas"]["ContrastRows"];
            /** @description How many conditions were compared, pairs among them. */
            readonly compared: number;
            /** @description Attributes of compared rows that there was no room for. */
            readonly left_out: number;
            /** @description Whether time was up before all was looked at: the counts are of what was. */
            readonly truncated: boolean;
            /** @description What it took. */
            readonly cost: components["schemas"]["QueryCost"];
        };
        /** @description How many rows a side has. */
        readonly ContrastRows: {
            /** @description All of them. */
            readonly count: number;
            /** @description Those whose attributes were compared. */
            readonly sampled: number;
        };
        /** @description Something by which the sides differ. */
        readonly Difference: {
            /** @description What holds, as filters that show such rows; a range of numbers is two, and a pair of conditions is both. */
            readonly filters: readonly components["schemas"]["SearchFilter"][];
            /** @description Of how many rows of the selection it holds. */
            readonly selection: components["schemas"]["ContrastShare"];
            /** @description Of how many of the others. */
            readonly rest: components["schemas"]["ContrastShare"];
            /** @description How much it tells about the side that a row is of; at the low end of what may be. */
            readonly effect: number;
            /** @description The share of false ones among all that are at least as certain. */
            readonly false_discovery: number;
            /** @description What else holds of (nearly) the same rows: the filters of each. */
            readonly alike: readonly (readonly components["schemas"]["SearchFilter"][])[];
        };
        /** @description So many of so many. */
        readonly ContrastShare: {
            /** @description Compared rows of which it holds. */
            readonly hits: number;
            /** @description Compared rows. */
            readonly of: number;
            /** @description The one as a part of the other. */
            readonly share: number;
        };
        /**
         * @description A condition, as in a query: `{"column", "op", "value"}`; or `{"and": [...]}`, `{"or": [...]}`, `{"not": {...}}` of others.
         * @example {
         *       "column": "http.route",
         *       "op": "=",
         *       "value": "/pay"
         *     }
         * @example {
         *       "or": [
         *         {
         *           "column": "status",
         *           "op": "=",
         *           "value": "error"
         *         },
         *         {
         *           "not": {
         *             "column": "user.id",
         *             "op": "exists"
         *           }
         *         }
         *       ]
         *     }
         */
        readonly SearchFilter: Record<string, never>;
        /**
         * @description Which spans or logs to find.
         * @example {
         *       "dataset": "logs",
         *       "q": "timeout",
         *       "filters": [
         *         {
         *           "column": "severity_number",
         *           "op": ">=",
         *           "value": 17
         *         }
         *       ],
         *       "limit": 20
         *     }
         */
        readonly SearchQuestion: {
            /**
             * @description What to find.
             * @default spans
             * @enum {string}
             */
            readonly dataset: "spans" | "logs";
            /** @description All of them must hold. */
            readonly filters?: readonly components["schemas"]["SearchFilter"][];
            /** @description Words of the body of a log, as in `GET /api/v1/logs`. */
            readonly q?: string;
            /** @description Only what is of then or later. */
            readonly from?: components["schemas"]["UnixNanos"];
            /** @description Only what is before then. */
            readonly to?: components["schemas"]["UnixNanos"];
            /**
             * @description Which come first.
             * @default newest
             * @enum {string}
             */
            readonly order: "newest" | "oldest";
            /**
             * @description How many at most.
             * @default 100
             */
            readonly limit: number;
            /** @description The `next_cursor` of the page before; all else must stay the same. */
            readonly cursor?: string;
            /**
             * @description How far to count what has no place on the page.
             * @default some
             * @enum {string}
             */
            readonly count: "page" | "some" | "all";
        };
        /** @description Keys of attributes. */
        readonly AttributeList: {
            /** @description Those that most rows have first. */
            readonly attributes: readonly {
                /** @description The key. */
                readonly key: string;
                /** @description The types of its values; what is neither a number nor a truth value is text. */
                readonly types: readonly ("bool" | "int" | "double" | "text")[];
                /** @description Rows that have it, or whose resource has. */
                readonly rows: number;
            }[];
            /** @description Whether there are, or may be, others. */
            readonly truncated: boolean;
        };
        /** @description Values of an attribute. */
        readonly ValueList: {
            /** @description Those that most rows have first. */
            readonly values: readonly {
                /** @description The value as text. */
                readonly value: string;
                /**
                 * @description Its type.
                 * @enum {string}
                 */
                readonly type: "bool" | "int" | "double" | "text";
                /** @description About how many rows have it. */
                readonly rows: number;
            }[];
            /** @description Whether there are, or may be, others. */
            readonly truncated: boolean;
        };
        /** @description One metric. */
        readonly Metric: {
            /** @description Its name. */
            readonly name: string;
            /** @description Its unit, as UCUM writes it; empty if it has none. */
            readonly unit: string;
            /**
             * @description What its numbers mean.
             * @enum {string}
             */
            readonly kind: "unknown" | "gauge" | "sum" | "histogram" | "exponential_histogram" | "summary";
            /** @description How many points it has in this time. */
            readonly point_count: number;
            /** @description When it was measured last. */
            readonly last_seen_unix_nanos: components["schemas"]["UnixNanos"];
        };
        /** @description Metrics, by name. */
        readonly MetricList: {
            /** @description A metric that changed its unit or its kind stands here more than once. */
            readonly metrics: readonly components["schemas"]["Metric"][];
            /** @description Whether there are more than are listed. */
            readonly truncated: boolean;
            /** @description What it took. */
            readonly cost: components["schemas"]["QueryCost"];
        };
        /** @description One line. */
        readonly MetricLine: {
            /** @description The value of each attribute that makes the groups; null where the points have none. */
            readonly group: {
                readonly [key: string]: string | null;
            };
            /** @description One for each step; null where nothing was measured. */
            readonly values: readonly (number | null)[];
        };
        /** @description Lines of a metric. */
        readonly MetricLines: {
            /** @description The metric. */
            readonly name: string;
            /** @description Its unit. */
            readonly unit: string;
            /** @description What was calculated. */
            readonly agg: string;
            /** @description When the first step begins. */
            readonly from_unix_nanos: components["schemas"]["UnixNanos"];
            /** @description How long a step is. */
            readonly step_nanos: components["schemas"]["Nanos"];
            /** @description At most a hundred, those that add up to most. */
            readonly series: readonly components["schemas"]["MetricLine"][];
            /** @description Whether there are more lines, or more points than are looked at. */
            readonly truncated: boolean;
            /** @description Points that cannot be understood. */
            readonly unreadable_count: number;
            /** @description What it took. */
            readonly cost: components["schemas"]["QueryCost"];
        };
        /** @description How the server does. */
        readonly Status: {
            /** @description The version of the server. */
            readonly version: string;
            /** @description Since it started. */
            readonly uptime_seconds: number;
            /** @description The disk of the data; null if it cannot be asked. */
            readonly disk: {
                /** @description Room on it. */
                readonly free_bytes: number;
                /** @description Its size. */
                readonly bytes: number;
            } | null;
            /** @description One of each signal. */
            readonly signals: readonly {
                /** @enum {string} */
                readonly signal: "traces" | "logs" | "metrics";
                /** @description Requests acknowledged and stored. */
                readonly accepted_requests: number;
                /** @description Spans, log records or points in them. */
                readonly accepted_rows: number;
                /** @description Bytes of them, decompressed. */
                readonly accepted_bytes: number;
                /** @description Rows that are in no segment yet. */
                readonly buffered_rows: number;
                /** @description Segments. */
                readonly segments: number;
                /** @description Rows of them. */
                readonly segment_rows: number;
                /** @description Bytes of them with their indexes. */
                readonly segment_bytes: number;
                /** @description Segments dropped by retention. */
                readonly dropped_segments: number;
                /** @description Rows of them. */
                readonly dropped_rows: number;
                /** @description Bytes of them. */
                readonly dropped_bytes: number;
            }[];
            /** @description The write-ahead log. */
            readonly wal: {
                /** @description Its files. */
                readonly files: number;
                /** @description Bytes of them. */
                readonly bytes: number;
                /** @description Times that it was synced. */
                readonly syncs: number;
                /** @description Writes of it that failed. */
                readonly failures: number;
                /** @description Bytes that could not be read at the start. */
                readonly skipped_bytes: number;
            };
            /** @description Bytes of log and memory that wait to be segments. */
            readonly unsealed_bytes: number;
            /** @description From a checked body to its acknowledgement. */
            readonly acknowledgements: {
                /** @description How many there were. */
                readonly count: number;
                /** @description Median; null if there were none. */
                readonly p50_ms: number | null;
                /** @description 99th percentile. */
                readonly p99_ms: number | null;
                /** @description Those held back because the store was nearly full. */
                readonly delayed: number;
            };
            /** @description Buffers made into segments. */
            readonly seals: {
                /** @description How many. */
                readonly done: number;
                /** @description Attempts that failed. */
                readonly failures: number;
            };
            /** @description Merges of segments. */
            readonly compaction: {
                /** @description How many. */
                readonly done: number;
                /** @description Those that failed. */
                readonly failures: number;
                /** @description Segments that are to be merged. */
                readonly waiting_segments: number;
                /** @description Bytes of them. */
                readonly waiting_bytes: number;
            };
            /** @description What came more than once. */
            readonly duplicates: {
                /** @description Batches sent again and not stored again. */
                readonly batches: number;
                /** @description Copies of spans left out by merges. */
                readonly spans: number;
            };
            /** @description Environments that retention forgot. */
            readonly forgotten_environments: number;
            /** @description Segments and indexes found damaged. */
            readonly damaged: number;
            /** @description Bodies refused, by reason. */
            readonly refusals: {
                readonly [key: string]: number;
            };
            /** @description SQL and queries with groups. */
            readonly queries: {
                /** @description Those that somebody waits for. */
                readonly open: number;
                /** @description Those that have their turn. */
                readonly running: number;
                /** @description Answered. */
                readonly answered: number;
                /** @description Failed. */
                readonly failed: number;
                /** @description Given up because they took too long. */
                readonly too_slow: number;
                /** @description Their caller went away. */
                readonly cancelled: number;
            };
            /** @description What watches for what is unusual. */
            readonly detection: {
                /** @description Minutes that were watched since the start. */
                readonly minutes: number;
                /** @description Attempts at it that failed. */
                readonly failures: number;
                /** @description What it took, on the threads of queries. */
                readonly busy_seconds: number;
                /** @description Since the end of the last minute that was watched; null before the first. */
                readonly behind_seconds: number | null;
                /** @description Functions, operations and edges that are watched. */
                readonly subjects: number;
                /** @description What was told of those that there was no room for. */
                readonly left_out: number;
                /** @description Incidents that go on. */
                readonly open_incidents: number;
                /** @description Times that its state was written. */
                readonly saves: number;
                /** @description Times that this failed. */
                readonly save_failures: number;
                /** @description Bytes of its state on disk. */
                readonly state_bytes: number;
            };
            /** @description What can be done about incidents. */
            readonly actions: {
                /** @description Who stopped all of them, and why; null if nobody did. */
                readonly stopped: components["schemas"]["ActionsStopped"] | null;
            };
        };
        /** @description What functions do right now. */
        readonly Wall: {
            /** @description When that is, in nanoseconds since 1970. */
            readonly at_unix_nanos: string;
            /** @description By name; those that were called within the last hour, a thousand at most. */
            readonly functions: readonly components["schemas"]["FunctionCard"][];
            /** @description How many invocations or groups of them were not counted, because there were too many. */
            readonly left_out: number;
        };
        /** @description What one function does right now. */
        readonly FunctionCard: {
            /** @description Its name. */
            readonly function: string;
            /** @description The service of its last invocation. */
            readonly service: string;
            /** @description What ended in the last ten seconds. */
            readonly window: {
                /** @description How long the window is. */
                readonly seconds: number;
                /** @description Invocations. */
                readonly count: number;
                /** @description Those that failed. */
                readonly error_count: number;
                /** @description Cold starts. */
                readonly cold_start_count: number;
                /** @description Those that took too long. */
                readonly timeout_count: number;
                /** @description Calls that were refused because there were too many, as who calls tells of them in a client span with `faas.invoked_name`; `null` if nobody has told of a call for an hour. What is refused before or behind a service, such as an API or a queue, nobody tells. */
                readonly throttle_count: number | null;
                /** @description Invocations a second. */
                readonly rate: number;
                /** @description How many ran at once, in the mean. */
                readonly concurrency: number;
            };
            /** @description How many invocations ended in each of the last 120 seconds, oldest first; `null` where not all were seen. */
            readonly seconds: readonly (number | null)[];
            /** @description Mean duration in the last minute. */
            readonly mean_ms: number | null;
            /** @description Median of the same. */
            readonly p50_ms: number | null;
            /** @description 90th percentile. */
            readonly p90_ms: number | null;
            /** @description 99th percentile. */
            readonly p99_ms: number | null;
            /** @description 99.5th percentile. */
            readonly p995_ms: number | null;
            /** @description What it is estimated to cost, in the mean of the last minute; `null` without reports. */
            readonly cost_usd_per_second: number | null;
            /** @description What is normal for it; `null` if nothing is known. */
            readonly normal: null | {
                /** @description Of how many invocations. */
                readonly count: number;
                /** @description The part that failed. */
                readonly error_ratio: number;
                /** @description Median duration. */
                readonly p50_ms: number;
                /** @description 99th percentile. */
                readonly p99_ms: number;
            };
            /**
             * @description How far the last minute is from that.
             * @enum {string}
             */
            readonly deviation: "unknown" | "none" | "slight" | "strong";
            /** @description What deviates, in words. */
            readonly why: readonly string[];
        };
        /** @description Some of the incidents, the newest first. */
        readonly IncidentPage: {
            /** @description The incidents. */
            readonly incidents: readonly components["schemas"]["IncidentSummary"][];
            /** @description How many there are from here on, this page included. */
            readonly total: number;
            /** @description Always false: all of them were looked at. */
            readonly truncated: boolean;
            /** @description Where the next page begins, if there is one. */
            readonly next_cursor: string | null;
        };
        /** @description An incident: findings of one connected cause. */
        readonly IncidentSummary: {
            /** @description Its number, never used again. */
            readonly id: number;
            /**
             * @description Whether it goes on, has ended, or turned out to be part of another.
             * @enum {string}
             */
            readonly state: "open" | "closed" | "merged";
            /**
             * @description How much it matters: good to know, somebody should look, users notice.
             * @enum {string}
             */
            readonly severity: "note" | "warning" | "critical";
            /** @description The gravest of what goes on in it, in one line. */
            readonly title: string;
            /** @description When the first of it began. */
            readonly since_unix_nanos: components["schemas"]["UnixNanos"];
            /** @description When it was noticed. */
            readonly opened_unix_nanos: components["schemas"]["UnixNanos"];
            /** @description When it had ended. */
            readonly closed_unix_nanos: components["schemas"]["UnixNanos"] | null;
            /** @description The one that it is part of. */
            readonly merged_into: number | null;
            /** @description What it is of. */
            readonly nodes: readonly string[];
            /** @description How many findings it has. */
            readonly finding_count: number;
        };
        /** @description An incident with all that is known of it. */
        readonly Incident: {
            /** @description Its number, never used again. */
            readonly id: number;
            /**
             * @description Whether it goes on, has ended, or turned out to be part of another.
             * @enum {string}
             */
            readonly state: "open" | "closed" | "merged";
            /**
             * @description How much it matters: good to know, somebody should look, users notice.
             * @enum {string}
             */
            readonly severity: "note" | "warning" | "critical";
            /** @description The gravest of what goes on in it, in one line. */
            readonly title: string;
            /** @description When the first of it began. */
            readonly since_unix_nanos: components["schemas"]["UnixNanos"];
            /** @description When it was noticed. */
            readonly opened_unix_nanos: components["schemas"]["UnixNanos"];
            /** @description When it had ended. */
            readonly closed_unix_nanos: components["schemas"]["UnixNanos"] | null;
            /** @description The one that it is part of. */
            readonly merged_into: number | null;
            /** @description What it is of. */
            readonly nodes: readonly string[];
            /** @description How many findings it has. */
            readonly finding_count: number;
            /** @description Where its functions and services run: the `deployment.environment.name` of their spans, the most frequent first, at most 8; none where nothing is known. */
            readonly environments: readonly string[];
            /** @description Whose they are: the `service.owner` of their spans, else `team`, the most frequent first, at most 8; none where nothing is known. */
            readonly owners: readonly string[];
            /** @description What is unusual; what goes on first, the gravest of it first. */
            readonly findings: readonly components["schemas"]["Finding"][];
            /** @description Who calls its nodes: who may be affected. */
            readonly callers: readonly string[];
            /** @description Whom they call. */
            readonly callees: readonly string[];
            /** @description Where it comes from; null where nothing is slow or fails, or too little is known. */
            readonly cause: components["schemas"]["IncidentCause"] | null;
            /** @description Who is worse around the most probable cause, however far away; null where none is known. */
            readonly affected: components["schemas"]["IncidentAffected"] | null;
        };
        /** @description Who suffers from the most probable cause of an incident: nodes that are slower or fail more since it began. */
        readonly IncidentAffected: {
            /** @description Who calls it, and who calls these, the nearest first. */
            readonly upstream: readonly components["schemas"]["InvestigationNeighbour"][];
            /** @description What it calls, and what these call, the nearest first. */
            readonly downstream: readonly components["schemas"]["InvestigationNeighbour"][];
        };
        /** @description One thing that is unusual about one subject. */
        readonly Finding: {
            /**
             * @description What is unusual. `alertmanager` and `prometheus`: that one of these says so.
             * @enum {string}
             */
            readonly kind: "latency" | "errors" | "new_error" | "new_edge" | "near_timeout" | "memory" | "leak" | "throttles" | "cold_starts" | "silence" | "cost" | "waiting" | "backlog" | "dead_letters" | "retries" | "incomplete" | "alertmanager" | "prometheus";
            /** @description The finding in one line. */
            readonly title: string;
            /** @description Of what. */
            readonly subject: components["schemas"]["FindingSubject"];
            /**
             * @description The unit of the measures.
             * @enum {string}
             */
            readonly unit: "ms" | "share" | "count" | "bytes" | "usd_per_hour";
            /** @description How it was before, if that is known. */
            readonly before: components["schemas"]["Measure"] | null;
            /** @description The time that `before` is of, in words: `the same hour of the day before`; null if that is not known. */
            readonly before_when: string | null;
            /** @description How it is now, or was when it was last seen. */
            readonly after: components["schemas"]["Measure"];
            /**
             * @description How much it matters: good to know, somebody should look, users notice.
             * @enum {string}
             */
            readonly severity: "note" | "warning" | "critical";
            /** @description 1 less the share of false ones among findings like this. */
            readonly confidence: number;
            /** @description Since when, to the minute. */
            readonly since_unix_nanos: components["schemas"]["UnixNanos"];
            /** @description When it was last seen. */
            readonly seen_unix_nanos: components["schemas"]["UnixNanos"];
            /** @description Whether it goes on. */
            readonly goes_on: boolean;
            /** @description What somebody did to the subject within the quarter of an hour before. */
            readonly change: components["schemas"]["Change"] | null;
            /** @description What else a finding of this kind says: `quantile` of times, `signature` of an error, `class` of an edge, `timeout_ms`, `clipped` and `days_left`, `environment`, `why` of cold starts and cost, `is_stuck` of a backlog, `worst` message and how many are `lost` of dead letters, `message`, `times` and `is_failed` of retries; of an alert of others its `source`, `name`, what it `says`, its `labels` and its `href`, which is empty if it has no web address. */
            readonly detail: {
                readonly [key: string]: unknown;
            };
            /** @description Filters of the spans that show it, for a search, a query or a contrast; null where no span does. */
            readonly filters: readonly components["schemas"]["SearchFilter"][] | null;
            /** @description The newest of these spans, of the first five findings. */
            readonly examples: readonly components["schemas"]["SpanExample"][];
        };
        /** @description A node, one of its operations, or its calls of another node. */
        readonly FindingSubject: {
            /** @description A node, by its id on the map. */
            readonly node: string;
            /** @description The operation. */
            readonly operation: string | null;
            /** @description The node that is called. */
            readonly to: string | null;
        };
        /** @description A number that was measured, with the interval that it lies in at 95 %. */
        readonly Measure: {
            /** @description What was measured. */
            readonly value: number;
            /** @description The low end of what it may be. */
            readonly low: number;
            /** @description The high end. */
            readonly high: number;
            /** @description Of how many. */
            readonly of: number;
        };
        /** @description Something that somebody did to a node. */
        readonly Change: {
            /** @description A node, by its id on the map. */
            readonly node: string;
            /** @description What: `version 42`, `memory 512 MB`, `timeout 30 s`, `a stop by ada`. */
            readonly what: string;
            /** @description What it was until then, in the same words, if that is known: `version 41`. */
            readonly before: string | null;
            /** @description When. */
            readonly at_unix_nanos: components["schemas"]["UnixNanos"];
        };
        /** @description The newest of the changes that were asked for. */
        readonly ChangeList: {
            /** @description The changes, the newest first. */
            readonly changes: readonly components["schemas"]["Change"][];
            /** @description How many there are, shown or not. */
            readonly total: number;
            /** @description Whether older ones were left out: ask with `to`, or for more. */
            readonly truncated: boolean;
        };
        /** @description A span, and where it is. */
        readonly SpanExample: {
            /** @description Its trace. */
            readonly trace_id: components["schemas"]["TraceId"];
            /** @description Its id. */
            readonly span_id: components["schemas"]["SpanId"];
            /** @description When it began. */
            readonly start_unix_nanos: components["schemas"]["UnixNanos"];
            /** @description How long it took, in milliseconds. */
            readonly duration_ms: number;
        };
        /** @description Why it is so with a node of an incident, worked out of what all nodes did and who calls whom. */
        readonly IncidentCause: {
            /** @description A node, by its id on the map. */
            readonly node: string;
            /**
             * @description What is wrong with it.
             * @enum {string}
             */
            readonly symptom: "slow" | "error" | "throttle" | "timeout" | "cold_start" | "expensive" | "silent";
            /** @description When all was well: milliseconds a call of what is slow, US dollars an hour of what is expensive, calls a minute of what is silent, else the part of the calls. */
            readonly before: number;
            /** @description The same now. */
            readonly after: number;
            /** @description Where it comes from, the most probable first. */
            readonly causes: readonly components["schemas"]["CauseNode"][];
            /** @description Nodes below that are worse in the other way at the same time. */
            readonly beside: readonly components["schemas"]["CauseNode"][];
            /** @description Nodes that it reaches and that are as usual. */
            readonly ruled_out: readonly string[];
            /** @description The part that no cause explains. */
            readonly unexplained: number;
            /** @description How many times as many calls as usual there are. */
            readonly load: number;
        };
        /** @description A node that it comes from. */
        readonly CauseNode: {
            /** @description A node, by its id on the map. */
            readonly node: string;
            /**
             * @description In which way it is worse.
             * @enum {string}
             */
            readonly symptom: "slow" | "error" | "throttle" | "timeout" | "cold_start" | "expensive" | "silent";
            /** @description The part of the symptom that enters here and that nothing below explains. */
            readonly share: number;
            /** @description When all was well: milliseconds a call of what is slow, US dollars an hour of what is expensive, calls a minute of what is silent, else the part of the calls. */
            readonly before: number;
            /** @description The same now. */
            readonly after: number;
            /** @description Calls that were looked at. */
            readonly calls: number;
            /** @description How it reaches the node that was asked about, from that one to this one. */
            readonly path: readonly string[];
        };
        /**
         * @description What is asked: a sentence, or its slots. A slot that is given is not read from the sentence.
         * @example {
         *       "question": "payment was slow last night around 10PM",
         *       "utc_offset_minutes": 60
         *     }
         * @example {
         *       "symptom": "slow",
         *       "node": "function:payment",
         *       "from": "1795228800000000000",
         *       "to": "1795232400000000000"
         *     }
         */
        readonly InvestigationQuestion: {
            /**
             * @description A sentence, such as `payment was slow last night around 10PM`.
             * @default
             */
            readonly question: string;
            /**
             * @description What is wrong; whatever shows, if neither this nor the sentence says it.
             * @enum {string|null}
             */
            readonly symptom?: "slow" | "error" | "throttle" | "timeout" | "cold_start" | "expensive" | "silent" | "waiting" | "changed" | null;
            /** @description Of what, by its id on the map. */
            readonly node?: string | null;
            /** @description From when on. */
            readonly from?: components["schemas"]["UnixNanos"] | null;
            /** @description Up to when. */
            readonly to?: components["schemas"]["UnixNanos"] | null;
            /**
             * @description How far the asker's clock is ahead of UTC.
             * @default 0
             */
            readonly utc_offset_minutes: number;
        };
        /** @description How the question was understood, slot by slot, with the words that each comes from: none if it was given, or nothing was said. */
        readonly InvestigationAsked: {
            /** @description The sentence. */
            readonly question: string;
            /**
             * @description Whether it asks why, or who else is affected; the answer has both.
             * @enum {string}
             */
            readonly wanted: "cause" | "affected";
            /**
             * @description What is wrong.
             * @enum {string|null}
             */
            readonly symptom: "slow" | "error" | "throttle" | "timeout" | "cold_start" | "expensive" | "silent" | "waiting" | "changed" | null;
            /** @description The words for it. */
            readonly symptom_words: string;
            /** @description Of what. */
            readonly node: string | null;
            /** @description The words for it. */
            readonly node_words: string;
            /** @description From when on. */
            readonly from_unix_nanos: components["schemas"]["UnixNanos"];
            /** @description Up to when. */
            readonly to_unix_nanos: components["schemas"]["UnixNanos"];
            /** @description The words for it. */
            readonly time_words: string;
            /** @description Whether it was longer than a day, of which the last is looked at. */
            readonly is_cut: boolean;
            /** @description What else may be meant by its words, the best first. */
            readonly candidates: readonly {
                /** @description A node, by its id on the map. */
                readonly node: string;
                /** @description 1 is its very name. */
                readonly score: number;
                /** @description The words that fit. */
                readonly words: string;
            }[];
        };
        /** @description How the node did in one way. */
        readonly InvestigationFigure: {
            /** @description Mean time, p99, failed, timed out, throttled, cold starts, calls, cost, memory used, oldest waiting or messages waiting. */
            readonly what: string;
            /**
             * @description What is counted.
             * @enum {string}
             */
            readonly unit: "ms" | "share" | "per_minute" | "usd_per_hour" | "count";
            /** @description When all was well; null if nothing is known of then. */
            readonly before: number | null;
            /** @description At the time that is asked about; from the beginning of what was found to its end. */
            readonly after: number;
        };
        /** @description A node that it comes from. */
        readonly InvestigationCause: {
            /** @description A node, by its id on the map. */
            readonly node: string;
            /**
             * @description In which way it is worse.
             * @enum {string}
             */
            readonly symptom: "slow" | "error" | "throttle" | "timeout" | "cold_start" | "expensive" | "silent" | "waiting" | "changed";
            /** @description The part of the symptom that enters here and that nothing below explains. */
            readonly share: number;
            /**
             * @description The unit of the numbers.
             * @enum {string}
             */
            readonly unit: "ms" | "share" | "per_minute" | "usd_per_hour" | "count";
            /** @description When all was well. */
            readonly before: number;
            /** @description Now. */
            readonly after: number;
            /** @description Calls that were looked at. */
            readonly calls: number;
            /** @description How it reaches the node that was asked about, from that one to this one. */
            readonly path: readonly string[];
        };
        /** @description A question for `POST /api/v1/search` that finds the rows which show it. */
        readonly InvestigationSearch: {
            /**
             * @description Of what.
             * @enum {string}
             */
            readonly dataset: "spans" | "logs";
            /** @description All of them must hold. */
            readonly filters: readonly components["schemas"]["SearchFilter"][];
            /** @description Words of the body of log records; empty for spans. */
            readonly q: string;
            /** @description From when on. */
            readonly from: components["schemas"]["UnixNanos"];
            /** @description Up to when. */
            readonly to: components["schemas"]["UnixNanos"];
        };
        /** @description What speaks for it, in a sentence with its numbers. */
        readonly InvestigationEvidence: {
            /**
             * @description Numbers of a node, a step of traces that takes longer by itself, one that they have more often or that came or went, time lost between two services, lines of logs, a change, an attribute, a new call, or a part of a cost.
             * @enum {string}
             */
            readonly kind: "numbers" | "self_time" | "shape" | "gap" | "log" | "change" | "attribute" | "call" | "cost";
            /** @description The sentence. */
            readonly title: string;
            /** @description Of what, by its id on the map. */
            readonly node: string | null;
            /**
             * @description The unit of the numbers.
             * @enum {string|null}
             */
            readonly unit: "ms" | "share" | "per_minute" | "usd_per_hour" | "count" | null;
            /** @description When all was well; for an attribute, of the others. */
            readonly before: number | null;
            /** @description Now; for an attribute, of those that show it. */
            readonly after: number | null;
            /** @description When, for a change; since when, for what waits. */
            readonly at_unix_nanos: components["schemas"]["UnixNanos"] | null;
            /** @description What finds the rows that show it. */
            readonly search: components["schemas"]["InvestigationSearch"] | null;
            /** @description A statement for `POST /api/v1/sql` that shows it, where metrics do: what waits, minute by minute. */
            readonly sql: string | null;
            /** @description Some of these spans. */
            readonly examples: readonly components["schemas"]["SpanExample"][];
        };
        /** @description A number, when all was well and now. */
        readonly BeforeAfter: {
            /** @description When all was well. */
            readonly before: number;
            /** @description Now. */
            readonly after: number;
        };
        /** @description A node that calls another, or is called by it, directly or by way of others. */
        readonly InvestigationNeighbour: {
            /** @description A node, by its id on the map. */
            readonly node: string;
            /** @description From the node that was asked about to this one. */
            readonly path: readonly string[];
            /** @description In which ways it is worse at that time. */
            readonly worse: readonly ("slow" | "error" | "throttle" | "timeout" | "cold_start" | "expensive" | "silent" | "waiting" | "changed")[];
            /** @description Calls of it. */
            readonly calls_per_minute: components["schemas"]["BeforeAfter"];
            /** @description The part of them that failed or was refused. */
            readonly failed: components["schemas"]["BeforeAfter"];
            /** @description How long they took. */
            readonly mean_ms: components["schemas"]["BeforeAfter"];
            /** @description Calls between it and the next node on the path that were refused because there were too many. */
            readonly throttle_count: number;
            /** @description Calls between it and the next node on the path. */
            readonly edge_calls_per_minute: components["schemas"]["BeforeAfter"];
            /** @description The part of these that failed or was refused. */
            readonly edge_failed: components["schemas"]["BeforeAfter"];
        };
        /** @description What was found, or that nothing was. */
        readonly Investigation: {
            readonly asked: components["schemas"]["InvestigationAsked"];
            /**
             * @description Whether it is so; or the name that was said fits nothing.
             * @enum {string}
             */
            readonly state: "found" | "nothing_found" | "unknown_name";
            /** @description The answer in one line. */
            readonly title: string;
            /** @description What was looked at. */
            readonly node: string | null;
            /**
             * @description What is wrong with it, or was asked about.
             * @enum {string|null}
             */
            readonly symptom: "slow" | "error" | "throttle" | "timeout" | "cold_start" | "expensive" | "silent" | "waiting" | "changed" | null;
            /** @description What it is held against. */
            readonly reference: {
                /**
                 * @description The four hours before, or the same hours of the day before.
                 * @enum {string}
                 */
                readonly name: "hours_before" | "day_before";
                /** @description From when on. */
                readonly from_unix_nanos: components["schemas"]["UnixNanos"];
                /** @description Up to when. */
                readonly to_unix_nanos: components["schemas"]["UnixNanos"];
            } | null;
            /** @description How the node did, in each way. */
            readonly figures: readonly components["schemas"]["InvestigationFigure"][];
            /** @description The symptom in numbers; null if it is not so. */
            readonly confirmed: components["schemas"]["InvestigationCause"] | null;
            /** @description The minute in which it began. */
            readonly onset_unix_nanos: components["schemas"]["UnixNanos"] | null;
            /** @description Whether it was so already when the time begins. */
            readonly began_before: boolean;
            /** @description Until when it was seen. */
            readonly until_unix_nanos: components["schemas"]["UnixNanos"] | null;
            /** @description Where it comes from, the most probable first. */
            readonly causes: readonly components["schemas"]["InvestigationCause"][];
            /** @description Nodes below that are worse in another way at the same time. */
            readonly beside: readonly components["schemas"]["InvestigationCause"][];
            /** @description What speaks for it. */
            readonly evidence: readonly components["schemas"]["InvestigationEvidence"][];
            /** @description What it does not come from. */
            readonly ruled_out: readonly {
                /** @description The node, if it is one. */
                readonly node: string | null;
                /** @description In words. */
                readonly title: string;
            }[];
            /** @description The part that no cause explains. */
            readonly unexplained: number | null;
            /** @description How many times as many calls as usual there are. */
            readonly load: number | null;
            /** @description Nodes that are slow or fail at that time, asked about or not. */
            readonly noticed: readonly {
                /** @description A node, by its id on the map. */
                readonly node: string;
                /**
                 * @description What.
                 * @enum {string}
                 */
                readonly symptom: "slow" | "error" | "throttle" | "timeout" | "cold_start" | "expensive" | "silent" | "waiting" | "changed";
            }[];
            /** @description Who calls the node, and who calls these; those that are worse first. */
            readonly upstream: readonly components["schemas"]["InvestigationNeighbour"][];
            /** @description What it calls, and what these call. */
            readonly downstream: readonly components["schemas"]["InvestigationNeighbour"][];
            /** @description Whether there are more nodes around it than are told. */
            readonly truncated: boolean;
            /** @description Evidence that there was no time for, or that could not be read. */
            readonly left_out: readonly ("reports" | "queues" | "spans" | "traces" | "logs" | "attributes")[];
            /** @description Milliseconds from the question to the answer. */
            readonly elapsed_ms: number;
        };
        /**
         * @description One of the things that can be done. Which fields it has depends on `do`.
         * @example {
         *       "do": "deny",
         *       "function": "pay",
         *       "resource": "table:users",
         *       "class": "write",
         *       "hours": 4
         *     }
         */
        readonly Action: {
            /**
             * @description `ignore` findings from now on; `mute` them for one person; `deny` a function's operations on a resource; `stop` a function; `disable` an event source mapping; set the `memory`.
             * @enum {string}
             */
            readonly do: "ignore" | "mute" | "deny" | "stop" | "disable" | "memory";
            /** @description ignore, mute: the node, by its id on the map. */
            readonly node?: string;
            /** @description ignore, mute: what it calls, of findings about calls. */
            readonly to?: string;
            /** @description ignore: which operation, of findings about one; absent for all of them. */
            readonly operation?: string;
            /** @description ignore: which error, of new ones; absent for all of them. */
            readonly signature?: string;
            /** @description ignore, mute: which kind of finding. */
            readonly kind?: string;
            /** @description ignore: why it is all right. */
            readonly reason?: string;
            /** @description ignore, mute: for how many days. */
            readonly days?: number;
            /** @description mute: whom not to tell: the name of a receiver, or a mail address of one. */
            readonly person?: string;
            /** @description deny, stop, disable, memory: the function's name. */
            readonly function?: string;
            /** @description deny: what it must not touch, by its id on the map: a table, queue, topic, bucket, bus, stream or function. */
            readonly resource?: string;
            /** @description deny: `write` or `all` operations; ignore: of new calls those of this class alone, of alerts of others those of this name. */
            readonly class?: string;
            /** @description deny, stop, disable, memory: for how many hours, a week at most. Another memory size that is proposed without is tried for a week; without end are those alone that were proposed before there was one, and those that were kept. */
            readonly hours?: number;
            /** @description disable: the UUID of the event source mapping. */
            readonly source?: string;
            /** @description memory: how much, in MB. */
            readonly memory_mb?: number;
        };
        /** @description All actions are stopped: by somebody, or by `throughline` because a line of the audit log that may have stopped them cannot be read. */
        readonly ActionsStopped: {
            /** @description Who. */
            readonly who: string;
            /** @description Why. */
            readonly why: string;
        };
        /** @description An action that fits a finding. */
        readonly ProposableAction: {
            /** @description The finding, as a sentence. */
            readonly finding: string;
            /** @description The action, as a sentence. */
            readonly title: string;
            /** @description Whether it changes something in the account. */
            readonly needs_account: boolean;
            /** @description Whether it keeps something from working. */
            readonly destructive: boolean;
            /** @description The action itself. */
            readonly action: components["schemas"]["Action"];
            /** @description Why just so, where that is known: of memory what is predicted with this size. */
            readonly why: string | null;
        };
        /** @description How things are in the account, as far as the action needs it. */
        readonly AccountState: {
            /** @description The function's ARN; empty where none is needed. */
            readonly function_arn: string;
            /** @description The ARN of the role that its code has. */
            readonly role_arn: string;
            /** @description Its memory in MB. */
            readonly memory_mb: number;
            /** @description Changes with every change of the function. */
            readonly revision_id: string;
            /** @description Its reserved concurrency, if it has one and it was asked for. */
            readonly reserved: number | null;
            /** @description Its event source mappings, if they were asked for. */
            readonly sources: readonly {
                /** @description Its UUID. */
                readonly id: string;
                /** @description From where it takes events; empty for brokers outside of AWS. */
                readonly source_arn: string;
                /** @description What of it: topics or queues of a broker, the collection of a database; absent where the ARN says all. */
                readonly names?: readonly string[];
                /** @description Whether it takes them. */
                readonly enabled: boolean;
            }[];
        };
        /** @description What came of another memory size, held against what was predicted of it. */
        readonly VerifiedAction: {
            /** @description When it was known. */
            readonly at_unix_nanos: components["schemas"]["UnixNanos"];
            /**
             * @description `as_predicted`, or better: then it is kept; `slower` than is worth it: undo it; `unknown`: nothing could be predicted.
             * @enum {string}
             */
            readonly verdict: "as_predicted" | "slower" | "unknown";
            /** @description The same in words, with the numbers. */
            readonly sentence: string;
        };
        /** @description An action and how it stands. */
        readonly ActionStanding: {
            /** @description Its name. */
            readonly id: string;
            /** @description It, as a sentence. */
            readonly title: string;
            /** @description It. */
            readonly action: components["schemas"]["Action"];
            /**
             * @description `proposed`: nobody confirmed it; `begun`: it is being done, or nobody knows whether it was; `done`; `failed`; `undone`; `drifted`: somebody has changed it since, so it is theirs.
             * @enum {string}
             */
            readonly state: "proposed" | "begun" | "done" | "failed" | "undone" | "drifted";
            /** @description About which incident. */
            readonly incident: number | null;
            /** @description When it was proposed. */
            readonly proposed_unix_nanos: components["schemas"]["UnixNanos"];
            /** @description When it was done. */
            readonly done_unix_nanos: components["schemas"]["UnixNanos"] | null;
            /** @description When it ends by itself. */
            readonly until_unix_nanos: components["schemas"]["UnixNanos"] | null;
            /** @description memory: who has kept it, so that it does not end by itself any more; `throughline` where it was as predicted. Null once it is not so any more. */
            readonly kept_by: string | null;
            /** @description How things were before it. */
            readonly before: components["schemas"]["AccountState"] | null;
            /** @description Why it, or its undoing, failed last. */
            readonly why: string | null;
            /** @description memory: what came of it, once 200 invocations with the new size are known, within two weeks. */
            readonly verified: components["schemas"]["VerifiedAction"] | null;
            /** @description Who confirmed it, as they said. */
            readonly who: string | null;
        };
        /** @description What can be done about an incident, and what was. */
        readonly FittingActions: {
            /** @description Where actions in the account are done: `off`, `local` or `lambda:NAME`. */
            readonly place: string;
            /** @description Who stopped all of them, and why. */
            readonly stopped: components["schemas"]["ActionsStopped"] | null;
            /** @description What fits. */
            readonly proposals: readonly components["schemas"]["ProposableAction"][];
            /** @description Functions that take events from where findings are about what waits, comes again or is given up: what could be disabled of each is at `/api/v1/actions/sources`. */
            readonly consumers: readonly string[];
            /** @description What was proposed about it, the newest first. */
            readonly actions: readonly components["schemas"]["ActionStanding"][];
        };
        /** @description From where a function takes events. */
        readonly SourceList: {
            /** @description The function's name. */
            readonly function: string;
            /** @description Its event source mappings. */
            readonly sources: readonly {
                /** @description Its UUID, which `disable` takes. */
                readonly id: string;
                /** @description What people call it: `SQS orders`; its UUID where the account says no more. */
                readonly name: string;
                /** @description From where it takes events; empty for brokers outside of AWS. */
                readonly source_arn: string;
                /** @description Whether it takes them. */
                readonly enabled: boolean;
            }[];
        };
        /** @description Some of the actions, the newest first. */
        readonly ActionList: {
            /** @description Where actions in the account are done: `off`, `local` or `lambda:NAME`. */
            readonly place: string;
            /** @description Who stopped all of them, and why. */
            readonly stopped: components["schemas"]["ActionsStopped"] | null;
            /** @description The actions. */
            readonly actions: readonly components["schemas"]["ActionStanding"][];
            /** @description How many there are from here on, this page included. */
            readonly total: number;
            /** @description Whether there are more than are listed. */
            readonly truncated: boolean;
            /** @description Where the next page begins, if there is one. */
            readonly next_cursor: string | null;
        };
        /** @description What is to be proposed. */
        readonly ActionProposal: {
            /** @description The action. */
            readonly action: components["schemas"]["Action"];
            /** @description About which incident. */
            readonly incident?: number | null;
            /** @description Who proposes it. */
            readonly who: string;
        };
        /** @description Where an action can be confirmed. */
        readonly ProposedAction: {
            /** @description Its name. */
            readonly id: string;
            /** @description The path and query of the link. */
            readonly path: string;
            /** @description Until when it opens. */
            readonly expires_unix_nanos: components["schemas"]["UnixNanos"];
        };
        /** @description Stop, or go on. */
        readonly ActionSwitch: {
            /** @description Who does it. */
            readonly who: string;
            /** @description Why all actions are stopped; absent to go on. */
            readonly why?: string | null;
        };
        /** @description Who does it. */
        readonly Someone: {
            /** @description A name, for the audit log. */
            readonly who: string;
        };
        /** @description A person's confirmation. */
        readonly ActionConfirmation: {
            /** @description The key of the link. */
            readonly k: string;
            /** @description Who confirms it. */
            readonly who: string;
            /** @description The function's name, typed, where the plan asks for it. */
            readonly typed?: string | null;
            /** @description `seen` of what was shown: if things have changed since, nothing is done. Needed for what changes something in the account. */
            readonly seen?: string | null;
            /** @description memory: whether it is to stay. Otherwise it is tried: put back when its hours are over, unless it was as predicted or somebody keeps it. */
            readonly keep?: boolean;
        };
        /** @description One call of AWS's API. */
        readonly ApiCall: {
            /**
             * @description The service.
             * @enum {string}
             */
            readonly service: "lambda" | "iam";
            /** @description Its name in AWS's documentation. */
            readonly operation: string;
            /** @description The HTTP method. */
            readonly method: string;
            /** @description The path and the query. */
            readonly path: string;
            /** @description What is sent; null where nothing is. */
            readonly parameters: unknown;
        };
        /** @description What is done, exactly. */
        readonly ActionPlan: {
            /** @description In a sentence. */
            readonly title: string;
            /** @description What is called, in this order. */
            readonly calls: readonly components["schemas"]["ApiCall"][];
            /** @description The policy that is put, if one is. */
            readonly policy: unknown;
            /** @description What to know before one agrees. */
            readonly warnings: readonly string[];
            /** @description How it is undone. */
            readonly undo: readonly components["schemas"]["ApiCall"][];
            /** @description When it ends by itself, in seconds since 1970. */
            readonly until: number | null;
            /** @description What must be typed to confirm it. */
            readonly confirm: string | null;
            /** @description The same in the application's own description. */
            readonly code: readonly {
                /** @description Of which tool. */
                readonly tool: string;
                /** @description Where it is to stand. */
                readonly place: string;
                /** @description The line. */
                readonly line: string;
            }[];
        };
        /** @description What trying it said. */
        readonly DryRun: {
            /**
             * @description `none`: AWS's API has none for it; `simulated`: IAM was asked; `failed`: it could not be asked.
             * @enum {string}
             */
            readonly dry_run: "none" | "simulated" | "failed";
            /** @description Why it could not be asked. */
            readonly why?: string;
            /** @description What IAM decides about each permission. */
            readonly permissions?: readonly {
                /** @description Its name. */
                readonly permission: string;
                /** @description As it is. */
                readonly before: string;
                /** @description As it would be. */
                readonly after: string;
            }[];
        };
        /** @description What an action would touch, in the last hour. */
        readonly Touched: {
            /** @description The node. */
            readonly node: string;
            /** @description What it called. */
            readonly to: string | null;
            /** @description With which operation. */
            readonly operation: string | null;
            /** @description How often. */
            readonly calls: number;
            /** @description How often it failed. */
            readonly errors: number;
        };
        /** @description Who is reached through others. */
        readonly Behind: {
            /** @description The function or the service. */
            readonly node: string;
            /**
             * @description Whether it calls, by way of others, or takes what was handed over.
             * @enum {string}
             */
            readonly way: "upstream" | "downstream";
            /** @description The nodes from the function to this one. */
            readonly path: readonly string[];
        };
        /** @description What whoever confirms an action must know. */
        readonly ShownAction: {
            /** @description Where actions in the account are done: `off`, `local` or `lambda:NAME`. */
            readonly place: string;
            /** @description The action. */
            readonly action: components["schemas"]["ActionStanding"];
            /** @description For whom the link was made. */
            readonly made_for: string;
            /** @description Until when the link opens. */
            readonly expires_unix_nanos: components["schemas"]["UnixNanos"];
            /** @description What would be done now. */
            readonly plan: components["schemas"]["ActionPlan"] | null;
            /** @description Why that cannot be told. */
            readonly problem: string | null;
            /** @description How things are. */
            readonly before: components["schemas"]["AccountState"] | null;
            /** @description To be sent back with the confirmation. */
            readonly seen: string | null;
            /** @description What trying it said. */
            readonly dry_run: components["schemas"]["DryRun"] | null;
            /** @description Who would notice. */
            readonly touched: readonly components["schemas"]["Touched"][];
            /** @description Who would notice through these: functions and services beyond the next node, twenty in each direction. */
            readonly behind: readonly components["schemas"]["Behind"][];
        };
        /** @description One entry of the audit log. */
        readonly AuditEntry: {
            /** @description Its number, from 1. */
            readonly number: number;
            /** @description When. */
            readonly at_unix_nanos: components["schemas"]["UnixNanos"];
            /** @description The action that it is about, as a sentence; null for the switch, and where the action is known no more. */
            readonly title: string | null;
            /** @description The same in seconds since 1970. */
            readonly at: number;
            /** @description Who, as they said; `throughline` for what happens by itself. */
            readonly who: string;
            /** @description For whom the link was made that they used. */
            readonly by_link_for?: string;
            /**
             * @description What happened.
             * @enum {string}
             */
            readonly event: "proposed" | "began" | "did" | "failed" | "undid" | "undo_failed" | "kept" | "verified" | "stopped" | "resumed";
            /** @description The action's name. */
            readonly id?: string;
            /** @description proposed: what. */
            readonly action?: components["schemas"]["Action"];
            /** @description proposed: about which incident. */
            readonly incident?: number;
            /** @description began: how things were. */
            readonly before?: components["schemas"]["AccountState"];
            /** @description began: whether whoever confirmed it keeps it; absent where not. */
            readonly keep?: boolean;
            /** @description did: when it ends by itself, in seconds since 1970. */
            readonly until?: number;
            /** @description What was called. */
            readonly done?: readonly {
                /** @description As CloudTrail has it. */
                readonly call: string;
                /** @description With which CloudTrail finds it. */
                readonly request_id: string;
            }[];
            /** @description Why it failed, or was stopped. */
            readonly why?: string;
            /** @description failed: whether something may have been changed. */
            readonly unsure?: boolean;
            /** @description undo_failed: whether somebody has changed it since. */
            readonly drifted?: boolean;
            /**
             * @description verified: whether it came as was predicted.
             * @enum {string}
             */
            readonly verdict?: "as_predicted" | "slower" | "unknown";
            /** @description verified: the same in words, with the numbers. */
            readonly sentence?: string;
        };
        /** @description Some of the audit log, the newest entries first. */
        readonly AuditPage: {
            /** @description The entries. */
            readonly entries: readonly components["schemas"]["AuditEntry"][];
            /** @description How many there are from here on, this page included. */
            readonly total: number;
            /** @description Always false. */
            readonly truncated: boolean;
            /** @description Where the next page begins, if there is one. */
            readonly next_cursor: string | null;
        };
        /** @description Who is told of what; docs/notifications.md has every field. */
        readonly NotificationSettings: {
            /** @description Where people reach this server; null for where it listens. */
            readonly public_url?: string | null;
            /** @description What the telemetry of this server is of, where it does not say so itself. */
            readonly environment?: string;
            /** @description Who can be told. */
            readonly receivers?: readonly components["schemas"]["Receiver"][];
            /** @description What goes to whom. */
            readonly routes?: readonly components["schemas"]["NotificationRoute"][];
            /** @description What nobody is told, or somebody is not. */
            readonly mutes?: readonly components["schemas"]["Mute"][];
            /** @description Mail addresses that have asked for no more. */
            readonly unsubscribed?: readonly {
                readonly receiver: string;
                readonly address: string;
            }[];
            /** @description The receivers of the weekly report. */
            readonly weekly_report?: readonly string[];
        };
        /** @description Somebody who can be told. */
        readonly Receiver: {
            /** @description What routes call it. */
            readonly name: string;
            /** @description How it is reached; what else there is depends on the type. */
            readonly channel: {
                /** @enum {string} */
                readonly type: "email" | "slack" | "pagerduty" | "alertmanager" | "webhook";
            };
            /** @description How far its clock is ahead of UTC. */
            readonly utc_offset_minutes?: number;
            /** @description When it is left alone. */
            readonly quiet_hours?: null | {
                readonly from: string;
                readonly to: string;
                readonly days?: readonly string[];
                /** @enum {string} */
                readonly except?: "note" | "warning" | "critical";
            };
            /** @description What it is told together. */
            readonly digest?: null | {
                readonly minutes: number;
                /** @enum {string} */
                readonly up_to?: "note" | "warning" | "critical";
            };
        };
        /** @description What goes to whom. */
        readonly NotificationRoute: {
            /** @description Whose it is, or what for. */
            readonly name: string;
            /** @description Who is told. */
            readonly receivers: readonly string[];
            /**
             * @description This severity and worse.
             * @enum {string}
             */
            readonly severity?: "note" | "warning" | "critical";
            /** @description In these environments, one at least; any, if none is named. */
            readonly environments?: readonly string[];
            /** @description Of these owners, one at least; anybody's, if none is named. */
            readonly owners?: readonly string[];
            /** @description Of these nodes; any, if none is named. */
            readonly nodes?: readonly string[];
        };
        /** @description What nobody is told, or somebody is not. */
        readonly Mute: {
            /** @description Of these nodes. */
            readonly nodes: string;
            /** @description Of their calls of these nodes, and of nothing else; null for all that is of them. */
            readonly to?: string | null;
            /** @description What is unusual. */
            readonly kinds: string;
            /** @description Who is not told: the name of a receiver, or a mail address; null for everybody. */
            readonly person?: string | null;
            /** @description Until when; null for ever. */
            readonly until_unix_nanos?: number | null;
            /** @description Why. */
            readonly reason?: string;
        };
        /** @description A condition on a span, as in a query. */
        readonly AlertCondition: {
            /** @description A column or the key of an attribute. */
            readonly column: string;
            /**
             * @description How to compare. What says no holds for rows without a value.
             * @enum {string}
             */
            readonly op: "=" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "not-in" | "contains" | "does-not-contain" | "starts-with" | "does-not-start-with" | "ends-with" | "matches" | "exists" | "does-not-exist";
            /** @description With what: a text, a number, a truth value, or a list of them for `in` and `not-in`. */
            readonly value?: unknown;
        };
        /** @description What share of something must be good. */
        readonly AlertObjective: {
            /** @description What people call it: no quotes, backslashes or control characters. */
            readonly name: string;
            /** @description The share that must be good. */
            readonly target: number;
            /** @description Over how many days; thirty if it is not said. */
            readonly days?: number;
            /** @description What is counted, and what of it is good. */
            readonly measure: {
                /** @description Which spans. */
                readonly spans: {
                    /** @description Which spans count. All must hold. */
                    readonly filters: readonly components["schemas"]["AlertCondition"][];
                    /** @description Which of them are good. All must hold. */
                    readonly good: readonly components["schemas"]["AlertCondition"][];
                };
            } | {
                /** @description Which actions. */
                readonly actions: {
                    /** @description The spans that they begin with. All must hold. */
                    readonly begin: readonly components["schemas"]["AlertCondition"][];
                    /** @description What they must reach, without an error. */
                    readonly end: {
                        /** @description The service. */
                        readonly service: string;
                        /** @description The name of its spans. */
                        readonly name: string;
                    };
                    /** @description In how many milliseconds after they began. */
                    readonly within_ms: number;
                };
            };
        };
        /** @description A number that must not cross a bound. It asks one thing: `query`, `sql`, `graph` or `saved`. */
        readonly AlertRule: {
            /** @description What people call it: no quotes, backslashes or control characters. */
            readonly name: string;
            readonly query?: components["schemas"]["QuerySpec"];
            /** @description Instead of a query, a statement of SQL: the last column of its answer is the number, those before it say of which group. It says of which time. */
            readonly sql?: string;
            /** @description Instead of a query, a question to the graph, whose last column is the number; of the last hour, unless it says of when. */
            readonly graph?: string;
            /** @description Instead of a query, the name of a saved query: it is asked as it is by then. A query that says no `time_range` is asked of the last five minutes, and its heat map is left out. */
            readonly saved?: string;
            /**
             * @description How its answer is compared; with groups, that of the worst.
             * @enum {string}
             */
            readonly op: ">" | ">=" | "<" | "<=";
            /** @description With what. */
            readonly value: number;
            /** @description For how many minutes it must be so; none if it is not said. */
            readonly for_minutes?: number;
            /** @description Every how many minutes it is asked; every one if it is not said. */
            readonly every_minutes?: number;
            /**
             * @description How much it matters; `warning` if it is not said.
             * @enum {string}
             */
            readonly severity?: "note" | "warning" | "critical";
        };
        /** @description What is watched. */
        readonly AlertSettings: {
            /** @description What share of something must be good. */
            readonly objectives?: readonly components["schemas"]["AlertObjective"][];
            /** @description Numbers that must not cross a bound. A query has one calculation, a `time_range` of a week at most, and neither `start_time` nor `end_time`. */
            readonly alerts?: readonly components["schemas"]["AlertRule"][];
        };
        /** @description How an objective does. */
        readonly AlertObjectiveNow: {
            /** @description Which. */
            readonly name: string;
            /**
             * @description `counting`: minutes of the past are still counted, and nothing is judged. `firing`: its budget goes too quickly.
             * @enum {string}
             */
            readonly state: "counting" | "ok" | "firing";
            /**
             * @description How much that matters.
             * @enum {string|null}
             */
            readonly severity: "warning" | "critical" | null;
            /** @description Since when. */
            readonly since_unix_nanos: string | null;
            /** @description Up to when minutes are counted. */
            readonly until_unix_nanos: string | null;
            /** @description What was good in its window. */
            readonly good: number;
            /** @description What was not. */
            readonly bad: number;
            /** @description The share of the budget that is left; below zero once it is used up. */
            readonly left: number | null;
            /** @description How many times faster than evenly it went in the last hour. `null` if nothing happened. */
            readonly burn: number | null;
            /** @description When nothing is left if it goes on like in the last hour. `null`: never. */
            readonly lasts_seconds: number | null;
            /** @description The rules that fit its days, the quickest first. */
            readonly rules: readonly {
                /** @description The window that says that it is still so. */
                readonly short_seconds: number;
                /** @description The window that says that it matters. */
                readonly long_seconds: number;
                /** @description The burn from which on it holds. */
                readonly burn: number;
                /**
                 * @description How much it matters.
                 * @enum {string}
                 */
                readonly severity: "warning" | "critical";
                /** @description The burn over the short window. */
                readonly short: number | null;
                /** @description The burn over the long window. */
                readonly long: number | null;
                /** @description Whether it holds. */
                readonly holds: boolean;
            }[];
            /** @description Actions that were not followed; those that were stand for them. */
            readonly left_out: number;
            /** @description Actions that did not end in time, the newest last. */
            readonly late: readonly string[];
            /** @description Why minutes could not be counted, if that is so. */
            readonly error: string | null;
        };
        /** @description How an alert does. */
        readonly AlertNow: {
            /** @description Which. */
            readonly name: string;
            /**
             * @description `pending`: beyond its bound, but not for long enough.
             * @enum {string}
             */
            readonly state: "no_data" | "ok" | "pending" | "firing";
            /**
             * @description How much it matters.
             * @enum {string}
             */
            readonly severity: "note" | "warning" | "critical";
            /** @description Since when it is pending or firing. */
            readonly since_unix_nanos: string | null;
            /** @description Up to when was asked. */
            readonly until_unix_nanos: string | null;
            /** @description The last answer: that of the worst group. */
            readonly value: number | null;
            /** @description The groups that are beyond the bound, the worst first, ten at most. */
            readonly groups: readonly string[];
            /** @description Why there is no answer, if that is so. */
            readonly error: string | null;
        };
        /** @description What is watched, and how it does. */
        readonly Alerts: {
            readonly settings: components["schemas"]["AlertSettings"];
            /** @description The objectives, as they are set. */
            readonly objectives: readonly components["schemas"]["AlertObjectiveNow"][];
            /** @description The alerts, as they are set. */
            readonly alerts: readonly components["schemas"]["AlertNow"][];
        };
        /** @description What came of alerts that others told. */
        readonly AlertsTaken: {
            /** @description They are incidents, or were. */
            readonly taken: number;
            /** @description This server has told them itself. */
            readonly own: number;
            /** @description Somebody has said that such ones are all right. */
            readonly ignored: number;
            /** @description There was no room for them: 200 go on. */
            readonly no_room: number;
        };
        /** @description An alert of another program. What else it has is not read. */
        readonly OuterAlert: {
            /** @description `firing` or `resolved`; in a webhook. */
            readonly status?: string;
            /** @description What it is known by. */
            readonly labels: {
                readonly [key: string]: string;
            };
            /** @description What it says: `summary`, `description`, `message` or `title`, the first that is there. */
            readonly annotations?: {
                readonly [key: string]: string;
            };
            /** @description When it began (RFC 3339); now, if it does not say so. */
            readonly startsAt?: string;
            /** @description When it ended, or ends if nobody says it again. */
            readonly endsAt?: string;
            /** @description Where it comes from. */
            readonly generatorURL?: string;
        } & {
            readonly [key: string]: unknown;
        };
        /** @description A webhook of Alertmanager. What else it has is not read. */
        readonly OuterWebhook: {
            /**
             * @description Its version.
             * @enum {string}
             */
            readonly version: "4";
            /** @description The alerts, at most 500. */
            readonly alerts: readonly components["schemas"]["OuterAlert"][];
        } & {
            readonly [key: string]: unknown;
        };
        /** @description Who is told of what, and how that does. */
        readonly Notifications: {
            readonly settings: components["schemas"]["NotificationSettings"];
            /** @description Tells these settings from those before and after them; whoever changes them gives it back. */
            readonly edition: string;
            /** @description What stands in place of a secret. */
            readonly mask: string;
            /** @description What addresses in messages begin with. */
            readonly base: string;
            readonly report: components["schemas"]["NoiseReport"];
            /** @description How sending does since the start, and what waits. */
            readonly status: {
                readonly sent: number;
                readonly retried: number;
                readonly refused: number;
                readonly given_up: number;
                readonly no_room: number;
                readonly not_told: {
                    readonly [key: string]: number;
                };
                readonly waiting: number;
                readonly held: number;
            };
        };
        /** @description What was told in the last week. */
        readonly NoiseReport: {
            /** @description Messages. */
            readonly messages: number;
            /** @description What they were about. */
            readonly told: number;
            /** @description That of it which somebody looked after. */
            readonly acted: number;
            /** @description By what was unusual and of which node; of noise a mute is proposed. */
            readonly groups: readonly {
                readonly node: string;
                readonly kind: string;
                readonly messages: number;
                readonly told: number;
                readonly acted: number;
                readonly is_noise: boolean;
            }[];
        };
        /** @description Which receiver is tested. */
        readonly NotificationTest: {
            /** @description Its name. */
            readonly receiver: string;
        };
        /** @description What came of a test. */
        readonly NotificationTestAnswer: {
            /** @description For each address what the other side said. */
            readonly answers: readonly {
                readonly address: string | null;
                /** @enum {string} */
                readonly outcome: "sent" | "later" | "refused";
                readonly said: string;
            }[];
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    readonly health: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description It is. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Health"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly openapi: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description OpenAPI 3.1. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": Record<string, never>;
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly findTraces: {
        readonly parameters: {
            readonly query?: {
                /** @description Only traces with a span of this service. */
                readonly service?: string;
                /** @description Only traces with a span of this name. */
                readonly operation?: string;
                /** @description `error`: only traces in which a span failed; `ok`: only those in which none did. */
                readonly status?: "ok" | "error";
                /** @description Only traces that took at least this many milliseconds. */
                readonly min_duration_ms?: number;
                /**
                 * @description Only traces with a span whose own or resource attribute equals this, written `key=value`. May be given up to 16 times.
                 * @example [
                 *       "http.request.method=GET"
                 *     ]
                 */
                readonly attribute?: readonly string[];
                /** @description Only traces that began at or after this time, in Unix nanoseconds. */
                readonly from?: string;
                /** @description Only traces that began before this time, in Unix nanoseconds. */
                readonly to?: string;
                /** @description How many traces at most. */
                readonly limit?: number;
                /** @description The `next_cursor` of the page before. All other parameters must stay the same. */
                readonly cursor?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The traces. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["TracePage"];
                };
            };
            /** @description A parameter is unknown or its value is not allowed (TL0201). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Stored data could not be read (TL0208); the server's log says more. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many reads at once (TL0209); try again after `Retry-After` seconds. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly loadTrace: {
        readonly parameters: {
            readonly query?: {
                /** @description Whether what looks like the id of a trace, and is of none, is looked for among keys, the values of attributes and the words of log records too, as all other ids are. */
                readonly anywhere?: "true" | "false";
            };
            readonly header?: never;
            readonly path: {
                /** @description The id, percent-encoded; at most 2,048 bytes. */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The user action as far as it has arrived. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Trace"];
                };
            };
            /** @description Not UTF-8, too long, or a value that more than ten traces have (TL0202), or a parameter that is not known (TL0201). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Nothing that is stored has this id (TL0203). */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Stored data could not be read (TL0208); the server's log says more. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many reads at once (TL0209); try again after `Retry-After` seconds. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly findSpans: {
        readonly parameters: {
            readonly query?: {
                /** @description Only this service. */
                readonly service?: string;
                /** @description Only spans with this name. */
                readonly name?: string;
                /** @description Only spans of this kind. */
                readonly kind?: components["schemas"]["SpanKind"];
                /** @description Only spans with this status. */
                readonly status?: components["schemas"]["SpanStatus"];
                /** @description Only what this function emitted (`faas.name`). */
                readonly function?: string;
                /** @description Only spans of this trace. */
                readonly trace_id?: components["schemas"]["TraceId"];
                /** @description Only spans that took at least so many milliseconds. */
                readonly min_duration_ms?: number;
                /** @description Only spans that took at most so many milliseconds. */
                readonly max_duration_ms?: number;
                /** @description A condition on a column or an attribute, as often as needed; all must hold. `http.route=/pay`, `http.response.status_code>=500`, `name~^GET`, `user.id contains 42`, `error.type exists`. docs/search.md has them all. */
                readonly where?: readonly string[];
                /** @description Only spans that began at or after this time, in Unix nanoseconds. */
                readonly from?: string;
                /** @description Only spans that began before this time, in Unix nanoseconds. */
                readonly to?: string;
                /** @description Which come first. */
                readonly order?: "newest" | "oldest";
                /** @description How many spans at most. */
                readonly limit?: number;
                /** @description The `next_cursor` of the page before. All other parameters must stay the same. */
                readonly cursor?: string;
                /** @description How far to count what has no place on the page: not at all, 300,000 rows further, or all. */
                readonly count?: "page" | "some" | "all";
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The spans. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["SpanPage"];
                };
            };
            /** @description A parameter is unknown or its value is not allowed (TL0201), or a condition cannot be understood (TL0210). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The search could not get any further within its time, and was stopped (TL0211); ask for less time. */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Stored data could not be read (TL0212); the server's log says more. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly findLogs: {
        readonly parameters: {
            readonly query?: {
                /** @description Only this service. */
                readonly service?: string;
                /** @description Only what this function emitted (`faas.name`). */
                readonly function?: string;
                /** @description Only logs of this invocation (`faas.invocation_id`). */
                readonly request_id?: string;
                /** @description Only logs of this trace. */
                readonly trace_id?: components["schemas"]["TraceId"];
                /** @description Only logs at least this severe, by OTLP's severity number. */
                readonly min_severity?: number;
                /** @description Words that the body has, in any order: `timeout payment`; `"order 1234"` as a phrase; `/took \d+ ms/` as a regular expression; `-word` for what it has not. */
                readonly q?: string;
                /** @description A condition on a column or an attribute, as often as needed; all must hold. `http.route=/pay`, `http.response.status_code>=500`, `name~^GET`, `user.id contains 42`, `error.type exists`. docs/search.md has them all. */
                readonly where?: readonly string[];
                /** @description Only logs written at or after this time, in Unix nanoseconds. */
                readonly from?: string;
                /** @description Only logs written before this time, in Unix nanoseconds. */
                readonly to?: string;
                /** @description Which come first. */
                readonly order?: "newest" | "oldest";
                /** @description How many logs at most. */
                readonly limit?: number;
                /** @description The `next_cursor` of the page before. All other parameters must stay the same. */
                readonly cursor?: string;
                /** @description How far to count what has no place on the page: not at all, 300,000 rows further, or all. */
                readonly count?: "page" | "some" | "all";
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The logs. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["LogPage"];
                };
            };
            /** @description A parameter is unknown or its value is not allowed (TL0201), or a condition cannot be understood (TL0210). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The search could not get any further within its time, and was stopped (TL0211); ask for less time. */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Stored data could not be read (TL0212); the server's log says more. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly tailLogs: {
        readonly parameters: {
            readonly query?: {
                /** @description Only this service. */
                readonly service?: string;
                /** @description Only what this function emitted (`faas.name`). */
                readonly function?: string;
                /** @description Only logs of this invocation (`faas.invocation_id`). */
                readonly request_id?: string;
                /** @description Only logs of this trace. */
                readonly trace_id?: components["schemas"]["TraceId"];
                /** @description Only logs at least this severe, by OTLP's severity number. */
                readonly min_severity?: number;
                /** @description Words that the body has, in any order: `timeout payment`; `"order 1234"` as a phrase; `/took \d+ ms/` as a regular expression; `-word` for what it has not. */
                readonly q?: string;
                /** @description A condition on a column or an attribute, as often as needed; all must hold. `http.route=/pay`, `http.response.status_code>=500`, `name~^GET`, `user.id contains 42`, `error.type exists`. docs/search.md has them all. */
                readonly where?: readonly string[];
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Events as they come: `log` with a `Log` as data and an id, `dropped` with `{"dropped": n}` when so many came too fast for the client, `failed` when the server cannot go on. A line that begins with a colon says that the connection lives. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "text/event-stream": string;
                };
            };
            /** @description A parameter is unknown or its value is not allowed (TL0201), or a condition cannot be understood (TL0210). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Stored data could not be read (TL0208); the server's log says more. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many clients follow already (TL0209). */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly followFunctions: {
        readonly parameters: {
            readonly query?: {
                /** @description Only invocations whose resource has this `deployment.environment.name`. */
                readonly environment?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Events named `wall` with a `Wall` as data. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "text/event-stream": components["schemas"]["Wall"];
                };
            };
            /** @description A parameter is unknown (TL0201). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many clients follow already (TL0209). */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly listMetrics: {
        readonly parameters: {
            readonly query?: {
                /** @description Only metrics that were measured at or after this time, in Unix nanoseconds; a day before `to` unless told otherwise. */
                readonly from?: string;
                /** @description Only metrics that were measured before this time, in Unix nanoseconds; now unless told otherwise. */
                readonly to?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The metrics, by name. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["MetricList"];
                };
            };
            /** @description A parameter is unknown or its value is not allowed (TL0201), or a condition cannot be understood (TL0210). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description It took more time or memory than it may, and was stopped (TL0211); ask for less time. */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Stored data could not be read (TL0212); the server's log says more. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly drawMetric: {
        readonly parameters: {
            readonly query: {
                /** @description The metric. */
                readonly name: string;
                /** @description What to calculate of each step: `rate` a second, `sum`, `count`, `avg`, `min`, `max`, `last` (of each series, added up), or a percentile, `p50` to `p99.9`. Unless told otherwise `rate` for sums, `p95` for histograms, `avg` for gauges. */
                readonly agg?: string;
                /** @description Only this service. */
                readonly service?: string;
                /** @description A condition on a column or an attribute, as often as needed; all must hold. `http.route=/pay`, `http.response.status_code>=500`, `name~^GET`, `user.id contains 42`, `error.type exists`. docs/search.md has them all. */
                readonly where?: readonly string[];
                /** @description An attribute whose values make a line each; `service` for services. As often as needed. */
                readonly group_by?: readonly string[];
                /** @description From when on, in Unix nanoseconds; an hour before `to` unless told otherwise. */
                readonly from?: string;
                /** @description Up to when, in Unix nanoseconds; now unless told otherwise. */
                readonly to?: string;
                /** @description Seconds of a step; a sixtieth of the time unless told otherwise. */
                readonly step?: number;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The lines. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["MetricLines"];
                };
            };
            /** @description A parameter is unknown or its value is not allowed (TL0201), or a condition cannot be understood (TL0210). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description It took more time or memory than it may, and was stopped (TL0211); ask for less time. */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Stored data could not be read (TL0212); the server's log says more. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly search: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["SearchQuestion"];
            };
        };
        readonly responses: {
            /** @description The spans or logs. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["SpanPage"] | components["schemas"]["LogPage"];
                };
            };
            /** @description The question cannot be understood (TL0210). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The search could not get any further within its time, and was stopped (TL0211); ask for less time. */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Stored data could not be read (TL0212); the server's log says more. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly listServices: {
        readonly parameters: {
            readonly query?: {
                /** @description Only spans that began at or after this time count, in Unix nanoseconds. */
                readonly from?: string;
                /** @description Only spans that began before this time count, in Unix nanoseconds. */
                readonly to?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The services. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ServiceList"];
                };
            };
            /** @description A parameter is unknown or its value is not allowed (TL0201). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Stored data could not be read (TL0208); the server's log says more. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many reads at once (TL0209); try again after `Retry-After` seconds. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly listOperations: {
        readonly parameters: {
            readonly query?: {
                /** @description Only this service. */
                readonly service?: string;
                /** @description Only spans that began at or after this time, in Unix nanoseconds; the last hour unless it is given. */
                readonly from?: string;
                /** @description Only spans that began before this time, in Unix nanoseconds; now unless it is given. */
                readonly to?: string;
                /** @description Only spans whose resource has this `deployment.environment.name`. */
                readonly environment?: string;
                /** @description How many operations at most. */
                readonly limit?: number;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The operations. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["OperationList"];
                };
            };
            /** @description A parameter is unknown or cannot be understood (TL0201). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Stored data could not be read (TL0208); the server's log says more. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many reads at once (TL0209); try again after `Retry-After` seconds. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly listEdges: {
        readonly parameters: {
            readonly query?: {
                /** @description From the minute on that this time is in, in Unix nanoseconds; the last hour unless it is given. */
                readonly from?: string;
                /** @description Up to the end of the minute that this time is in, in Unix nanoseconds; now unless it is given. */
                readonly to?: string;
                /** @description Only edges from or to this service. */
                readonly service?: string;
                /** @description Only edges from or to this function (`faas.name`). */
                readonly function?: string;
                /** @description Only calls from this `deployment.environment.name`, and calls into it whose caller says none. */
                readonly environment?: string;
                /** @description How many edges at most. */
                readonly limit?: number;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The map. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["EdgeMap"];
                };
            };
            /** @description A parameter is unknown or cannot be understood (TL0201). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Stored data could not be read (TL0208); the server's log says more. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many reads at once (TL0209); try again after `Retry-After` seconds. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly listCosts: {
        readonly parameters: {
            readonly query?: {
                /** @description From the minute on that this time is in, in Unix nanoseconds; the last hour unless it is given. */
                readonly from?: string;
                /** @description Up to the end of the minute that this time is in, in Unix nanoseconds; now unless it is given. */
                readonly to?: string;
                /** @description Only functions of this service. */
                readonly service?: string;
                /** @description Only this function (`faas.name`). */
                readonly function?: string;
                /** @description How many functions at most. */
                readonly limit?: number;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The costs. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["CostList"];
                };
            };
            /** @description A parameter is unknown or cannot be understood (TL0201). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Stored data could not be read (TL0208); the server's log says more. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many reads at once (TL0209); try again after `Retry-After` seconds. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly describeGraph: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The words of the language. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["GraphLanguage"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly queryGraph: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["GraphQuestion"];
            };
        };
        readonly responses: {
            /** @description The rows, and what they are about. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["GraphAnswer"];
                };
            };
            /** @description The query cannot be understood (TL0210). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Stored data could not be read, or the engine failed (TL0212); the server's log says more. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many at once (TL0209): try again in a second. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly listWaits: {
        readonly parameters: {
            readonly query?: {
                /** @description Functions that began at this time or later, in Unix nanoseconds; the last minute unless it is given. */
                readonly from?: string;
                /** @description Functions that began before this time, in Unix nanoseconds; now unless it is given. */
                readonly to?: string;
                /** @description Only functions whose resource has this `deployment.environment.name`. */
                readonly environment?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The waits. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["WaitList"];
                };
            };
            /** @description A parameter is unknown or its value is not allowed (TL0201), or a condition cannot be understood (TL0210). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The search could not get any further within its time, and was stopped (TL0211); ask for less time. */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Stored data could not be read (TL0212); the server's log says more. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly showAdvice: {
        readonly parameters: {
            readonly query?: {
                /** @description Invocations that were reported at this time or later, in Unix nanoseconds; the last seven days unless it is given. */
                readonly from?: string;
                /** @description Invocations that were reported before this time, in Unix nanoseconds; now unless it is given. */
                readonly to?: string;
                /** @description Only invocations whose resource has this `deployment.environment.name`. */
                readonly environment?: string;
                /** @description What the 99th percentile may be, in milliseconds. Without it no size is recommended that makes it a tenth longer. */
                readonly slow_ms_max?: number;
            };
            readonly header?: never;
            readonly path: {
                /** @description The function's name, `faas.name`. */
                readonly name: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description What is said of it, or why nothing is. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["FunctionAdvice"];
                };
            };
            /** @description A parameter is unknown or its value is not allowed (TL0201). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The reports could not be read within the time of a query (TL0211); ask for less time. */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Stored data could not be read (TL0212); the server's log says more. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly listAttributes: {
        readonly parameters: {
            readonly query?: {
                /** @description Of which rows. */
                readonly dataset?: "spans" | "logs" | "metrics";
                /** @description Only what begins with this. */
                readonly prefix?: string;
                /** @description How many at most. */
                readonly limit?: number;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The keys. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["AttributeList"];
                };
            };
            /** @description A parameter is unknown or cannot be understood (TL0201). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Stored data could not be read (TL0208); the server's log says more. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many reads at once (TL0209); try again after `Retry-After` seconds. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly listAttributeValues: {
        readonly parameters: {
            readonly query?: {
                /** @description Of which rows. */
                readonly dataset?: "spans" | "logs" | "metrics";
                /** @description Only what begins with this. */
                readonly prefix?: string;
                /** @description How many at most. */
                readonly limit?: number;
            };
            readonly header?: never;
            readonly path: {
                /** @description The key. */
                readonly key: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The values. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ValueList"];
                };
            };
            /** @description A parameter is unknown or cannot be understood (TL0201). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Stored data could not be read (TL0208); the server's log says more. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many reads at once (TL0209); try again after `Retry-After` seconds. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly completeness: {
        readonly parameters: {
            readonly query?: {
                /** @description Only this function. */
                readonly function?: string;
                /** @description Only environments that were heard of at or after this time, in Unix nanoseconds. */
                readonly from?: string;
                /** @description Only environments that were heard of before this time, in Unix nanoseconds. */
                readonly to?: string;
                /** @description How many functions at most. */
                readonly limit?: number;
                /** @description The `next_cursor` of the page before. All other parameters must stay the same. */
                readonly cursor?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The functions. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Completeness"];
                };
            };
            /** @description A parameter is unknown or its value is not allowed (TL0201). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Stored data could not be read (TL0208); the server's log says more. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many reads at once (TL0209); try again after `Retry-After` seconds. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly listChanges: {
        readonly parameters: {
            readonly query?: {
                /** @description Only those of this node, by its id on the map: `function:checkout`. */
                readonly subject?: string;
                /** @description Only those at this time or later. */
                readonly from?: string;
                /** @description Only those before then. */
                readonly to?: string;
                /** @description How many at most. */
                readonly limit?: number;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Changes. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ChangeList"];
                };
            };
            /** @description A parameter is unknown or not allowed (TL0201). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly listIncidents: {
        readonly parameters: {
            readonly query?: {
                /** @description Only those that go on, or that have ended. */
                readonly state?: "open" | "closed";
                /** @description Only those that matter at least as much. */
                readonly severity?: "note" | "warning" | "critical";
                /** @description Only those of this node, by its id on the map: `function:checkout`, `table:orders`. */
                readonly subject?: string;
                /** @description Only those that had not ended by then. */
                readonly from?: string;
                /** @description Only those that began before then. */
                readonly to?: string;
                /** @description How many at most. */
                readonly limit?: number;
                /** @description The `next_cursor` of the page before; all else must stay the same. */
                readonly cursor?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Incidents. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["IncidentPage"];
                };
            };
            /** @description A parameter is unknown or not allowed (TL0201). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly showIncident: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description Its number. */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The incident. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Incident"];
                };
            };
            /** @description A parameter is unknown (TL0201). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description There is no such incident (TL0213). */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Stored data could not be read; the server's log says more. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly investigate: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["InvestigationQuestion"];
            };
        };
        readonly responses: {
            /** @description What was found, or that nothing was. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Investigation"];
                };
            };
            /** @description The question cannot be understood (TL0210). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Stored data could not be read, or the engine failed (TL0212); the server's log says more. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Too many at once (TL0209): try again in a second. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly takeCloudwatch: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": Record<string, never>;
                readonly "text/plain": string;
            };
        };
        readonly responses: {
            /** @description What became of the delivery; in the form of Firehose if Firehose asked. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Replayed"] | components["schemas"]["FirehoseAnswer"];
                };
            };
            /** @description The body is not what it looks like (TL0312), or is not compressed as it says (TL0301). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"] | components["schemas"]["FirehoseAnswer"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The body is too large, unpacked (TL0304). */
            readonly 413: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"] | components["schemas"]["FirehoseAnswer"];
                };
            };
            /** @description Compressed in a way that is not known (TL0303). */
            readonly 415: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"] | components["schemas"]["FirehoseAnswer"];
                };
            };
            /** @description More arrives than the disk takes (TL0305); send the whole body again after `Retry-After` seconds. */
            readonly 429: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"] | components["schemas"]["FirehoseAnswer"];
                };
            };
            /** @description The body did not arrive whole (TL0309) or could not be stored (TL0306); send all of it again. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"] | components["schemas"]["FirehoseAnswer"];
                };
            };
        };
    };
    readonly askSql: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["SqlQuestion"];
            };
        };
        readonly responses: {
            /** @description The rows. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Table"];
                    readonly "text/csv": string;
                    readonly "text/plain": string;
                    readonly "application/vnd.apache.arrow.stream": string;
                };
            };
            /** @description The question cannot be understood (TL0210). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The query took more time or memory than it may, and was stopped (TL0211). */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Stored data could not be read, or the engine failed (TL0212); the server's log says more. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly askQuery: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["QuerySpec"];
            };
        };
        readonly responses: {
            /** @description The groups, and for a granularity their series. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["QueryAnswer"];
                };
            };
            /** @description The question cannot be understood (TL0210). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The query took more time or memory than it may, and was stopped (TL0211). */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Stored data could not be read, or the engine failed (TL0212); the server's log says more. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly showSaved: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description All of them. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Saved"];
                };
            };
            /** @description A parameter is unknown (TL0201). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly setSaved: {
        readonly parameters: {
            readonly query?: {
                /** @description The `edition` that is replaced: with it, what somebody else has changed meanwhile is not overwritten. */
                readonly edition?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["SavedQueries"];
            };
        };
        readonly responses: {
            /** @description All of them as they are now. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Saved"];
                };
            };
            /** @description They do not hold together, or an alert could no longer follow one; the message names every place (TL0218). Or a parameter is unknown (TL0201). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description They were changed since that edition (TL0221). */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description They could not be written (TL0220). */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly contrast: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["ContrastQuestion"];
            };
        };
        readonly responses: {
            /** @description The differences. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ContrastAnswer"];
                };
            };
            /** @description The question cannot be understood (TL0210). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The query took more time or memory than it may, and was stopped (TL0211). */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Stored data could not be read, or the engine failed (TL0212); the server's log says more. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly status: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The state. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Status"];
                };
            };
            /** @description A parameter was given (TL0201). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Stored data could not be read (TL0208); the server's log says more. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly fittingActions: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description The incident's number. */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description What fits, and what was proposed. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["FittingActions"];
                };
            };
            /** @description A parameter or a field is unknown or not allowed (TL0201). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description There is no such incident (TL0213). */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The audit log cannot be written (TL0217); the server's log says more. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly listActions: {
        readonly parameters: {
            readonly query?: {
                /** @description How many at most. */
                readonly limit?: number;
                /** @description `true`: those that were done and can be undone; `false`: the others. */
                readonly in_force?: boolean;
                /** @description The `next_cursor` of the page before. */
                readonly cursor?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The actions. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ActionList"];
                };
            };
            /** @description A parameter or a field is unknown or not allowed (TL0201). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The audit log cannot be written (TL0217); the server's log says more. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly proposeAction: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["ActionProposal"];
            };
        };
        readonly responses: {
            /** @description Where it can be confirmed. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ProposedAction"];
                };
            };
            /** @description A parameter or a field is unknown or not allowed (TL0201). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A thousand were proposed within the last day (TL0216). */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The audit log cannot be written (TL0217); the server's log says more. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly switchActions: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["ActionSwitch"];
            };
        };
        readonly responses: {
            /** @description How it is now, without the actions. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ActionList"];
                };
            };
            /** @description A parameter or a field is unknown or not allowed (TL0201). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The audit log cannot be written (TL0217); the server's log says more. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly listSources: {
        readonly parameters: {
            readonly query: {
                /** @description The function's name. */
                readonly function: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The sources. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["SourceList"];
                };
            };
            /** @description A parameter or a field is unknown or not allowed (TL0201). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The server was started with `--actions off`, or the actuator does not know this order (TL0216). */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description AWS or the actuator refused it or did not answer (TL0217). */
            readonly 502: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly showAction: {
        readonly parameters: {
            readonly query: {
                /** @description The key of the link. */
                readonly k: string;
            };
            readonly header?: never;
            readonly path: {
                /** @description The action's name. */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The action. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ShownAction"];
                };
            };
            /** @description A parameter or a field is unknown or not allowed (TL0201). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207), or the link does not open this action (TL0215). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description There is no such action, or nobody confirmed it within a day (TL0214). */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The audit log cannot be written (TL0217); the server's log says more. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly undoAction: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description The action's name. */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["Someone"];
            };
        };
        readonly responses: {
            /** @description How it stands now. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ActionStanding"];
                };
            };
            /** @description A parameter or a field is unknown or not allowed (TL0201). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description There is no such action, or nobody confirmed it within a day (TL0214). */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description It is not done, and the message says why (TL0216). */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The audit log cannot be written (TL0217); the server's log says more. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description AWS or the actuator refused or did not answer (TL0217). */
            readonly 502: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly keepAction: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description The action's name. */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["Someone"];
            };
        };
        readonly responses: {
            /** @description How it stands now. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ActionStanding"];
                };
            };
            /** @description A parameter or a field is unknown or not allowed (TL0201). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description There is no such action, or nobody confirmed it within a day (TL0214). */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description It cannot be kept: it is not in force, or being undone, ends when it was said, or has no end (TL0216). */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The audit log cannot be written (TL0217); the server's log says more. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly confirmAction: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description The action's name. */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["ActionConfirmation"];
            };
        };
        readonly responses: {
            /** @description How it stands now: done, failed, or nobody knows. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ActionStanding"];
                };
            };
            /** @description A parameter or a field is unknown or not allowed (TL0201). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207), or the link does not open this action (TL0215). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description There is no such action, or nobody confirmed it within a day (TL0214). */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description It is not done, and the message says why (TL0216). */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The audit log cannot be written (TL0217); the server's log says more. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description AWS or the actuator refused or did not answer (TL0217). */
            readonly 502: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly listAudit: {
        readonly parameters: {
            readonly query?: {
                /** @description How many at most. */
                readonly limit?: number;
                /** @description The `next_cursor` of the page before. */
                readonly cursor?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The entries. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["AuditPage"];
                };
            };
            /** @description A parameter or a field is unknown or not allowed (TL0201). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The audit log cannot be written (TL0217); the server's log says more. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly showAlerts: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description What is set, and how it does, in the same order. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Alerts"];
                };
            };
            /** @description A parameter is unknown (TL0201). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly setAlerts: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["AlertSettings"];
            };
        };
        readonly responses: {
            /** @description What is set now, and how it does. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Alerts"];
                };
            };
            /** @description The settings do not hold together; the message names every place (TL0218). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The settings could not be written (TL0220). */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly takeWebhook: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["OuterWebhook"] | readonly components["schemas"]["OuterAlert"][];
            };
        };
        readonly responses: {
            /** @description What came of them. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["AlertsTaken"];
                };
            };
            /** @description The body holds no alerts, too many, or is too large (TL0222); or a parameter is unknown (TL0201). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly takeAlerts: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["OuterWebhook"] | readonly components["schemas"]["OuterAlert"][];
            };
        };
        readonly responses: {
            /** @description What came of them. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["AlertsTaken"];
                };
            };
            /** @description The body holds no alerts, too many, or is too large (TL0222); or a parameter is unknown (TL0201). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly showNotifications: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The settings. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Notifications"];
                };
            };
            /** @description A parameter is unknown (TL0201). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly setNotifications: {
        readonly parameters: {
            readonly query?: {
                /** @description The `edition` that is replaced: with it, what somebody else has changed meanwhile is not overwritten. */
                readonly edition?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["NotificationSettings"];
            };
        };
        readonly responses: {
            /** @description The settings as they are now. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Notifications"];
                };
            };
            /** @description The settings do not hold together; the message names every place (TL0218). Or a parameter is unknown (TL0201). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description They were changed since that edition (TL0221). */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The settings could not be written (TL0220). */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly testNotifications: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["NotificationTest"];
            };
        };
        readonly responses: {
            /** @description What came of it. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["NotificationTestAnswer"];
                };
            };
            /** @description There is no such receiver (TL0218). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A key is required and was not given, or is wrong (TL0206). */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly askToUnsubscribe: {
        readonly parameters: {
            readonly query?: {
                /** @description The receiver. */
                readonly receiver?: string;
                /** @description The mail address. */
                readonly address?: string;
                /** @description What the link is signed with. */
                readonly k?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The page. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "text/html": string;
                };
            };
            /** @description A parameter is unknown (TL0201). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The link is not whole, or not of this server (TL0219); or the `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    readonly unsubscribe: {
        readonly parameters: {
            readonly query?: {
                /** @description The receiver. */
                readonly receiver?: string;
                /** @description The mail address. */
                readonly address?: string;
                /** @description What the link is signed with. */
                readonly k?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description They are stopped. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "text/html": string;
                };
            };
            /** @description A parameter is unknown (TL0201). */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The link is not whole, or not of this server (TL0219); or the `Host` or `Origin` header names a host that this server does not answer for (TL0207). */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The settings could not be written (TL0220). */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
}
