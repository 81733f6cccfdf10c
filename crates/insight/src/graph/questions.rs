//! What the menus offer: queries that are shown as text. Where one is about something, `$NAME` stands for its name.

/// A saved query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SavedQuestion {
    /// What it is called in a menu.
    pub title: &'static str,
    /// What it is asked of: a `function`, which may be a service, a `resource`, or nothing.
    pub about: &'static str,
    /// The query.
    pub query: &'static str,
}

/// All of them, the ones that are asked most often first.
pub const QUESTIONS: &[SavedQuestion] = &[
    SavedQuestion {
        title: "What does it depend on?",
        about: "function",
        query: "MATCH (f {name: '$NAME'})-[:CALLS|TRIGGERS*1..6]->(n)
RETURN DISTINCT n, n.calls AS calls, n.error_rate AS error_rate, n.p99 AS p99
ORDER BY calls DESC",
    },
    SavedQuestion {
        title: "What is affected by it?",
        about: "resource",
        query: "MATCH (t {name: '$NAME'})<-[:CALLS|TRIGGERS*1..6]-(n)
RETURN DISTINCT n, n.calls AS calls, n.errors AS errors, n.Δerrors AS more_errors, n.Δp99 AS slower
ORDER BY more_errors DESC, slower DESC COMPARED TO 'yesterday'",
    },
    SavedQuestion {
        title: "Who writes to it, and who never did before?",
        about: "resource",
        query: "MATCH (f)-[c:WRITES]->(t {name: '$NAME'})
RETURN f, c.operation AS operation, c.calls AS calls, c.is_new AS is_new, c.first_seen AS first_seen
ORDER BY is_new DESC, calls DESC COMPARED TO 'yesterday'",
    },
    SavedQuestion {
        title: "Who is hit by its throttling, up to the endpoints?",
        about: "resource",
        query: "MATCH (t {name: '$NAME'})<-[c:CALLS]-(f)<-[:CALLS|TRIGGERS*0..5]-(entry:Endpoint)
WHERE c.throttles > 0
RETURN entry, f, sum(c.throttles) AS throttled, entry.Δp99 AS slower
ORDER BY throttled DESC COMPARED TO 'yesterday'",
    },
    SavedQuestion {
        title: "Which calls are new since yesterday?",
        about: "",
        query: "MATCH (a)-[c]->(b) WHERE c.is_new
RETURN a, type(c) AS type, c.operation AS operation, b, c.calls AS calls, c.first_seen AS first_seen
ORDER BY calls DESC COMPARED TO 'yesterday'",
    },
    SavedQuestion {
        title: "Which calls got slower, and by how much?",
        about: "",
        query: "MATCH (a)-[c:CALLS]->(b) WHERE c.Δp99 > 20 AND c.p99 > 1.2 * c.before_p99
RETURN a, c.operation AS operation, b, c.before_p99 AS was, c.p99 AS is_now, c.Δp99 * c.calls AS weight
ORDER BY weight DESC COMPARED TO 'yesterday'",
    },
    SavedQuestion {
        title: "Which functions got slower and call the same resource?",
        about: "",
        query: "MATCH (a:Function)-->(r:Resource)<--(b:Function)
WHERE a.name < b.name AND a.p99 > 2 * a.before_p99 AND b.p99 > 2 * b.before_p99
RETURN DISTINCT r, a, b, a.Δp99 AS a_slower, b.Δp99 AS b_slower
ORDER BY a_slower DESC COMPARED TO 'yesterday'",
    },
    SavedQuestion {
        title: "What shares a table, a queue or another resource with it?",
        about: "function",
        query: "MATCH (f {name: '$NAME'})-->(r:Resource)<--(other)
WHERE other.id <> f.id
RETURN other, collect(DISTINCT r.name) AS shared, other.error_rate AS error_rate
ORDER BY size(shared) DESC",
    },
    SavedQuestion {
        title: "The shortest way from an endpoint to a host outside",
        about: "",
        query: "MATCH p = shortestPath((e:Endpoint)-[:CALLS|TRIGGERS*1..6]->(h:External))
RETURN e, h, length(p) AS hops, p ORDER BY hops",
    },
    SavedQuestion {
        title: "Chains of four and more calls that wait for each other",
        about: "",
        query: "MATCH p = (e:Endpoint)-[:CALLS*4..6]->(n) WHERE NOT (n)-[:CALLS]->()
RETURN e, length(p) AS hops, p ORDER BY hops DESC LIMIT 50",
    },
    SavedQuestion {
        title: "Circles: who calls itself by way of others",
        about: "",
        query: "MATCH p = (f:Function)-[:CALLS|TRIGGERS*1..6]->(f)
RETURN f, length(p) AS hops, p ORDER BY hops LIMIT 50",
    },
    SavedQuestion {
        title: "What one user action costs, by endpoint",
        about: "",
        query: "MATCH (e:Endpoint)-[:CALLS|TRIGGERS*0..6]->(f:Function) WHERE f.cost > 0
RETURN e, count(DISTINCT f) AS functions, sum(f.cost) AS cost, sum(f.cost) / e.calls AS cost_a_call
ORDER BY cost DESC",
    },
];
