// A Probot that receives issues.edited: with an empty handler, or with one that inserts the payload into SQLite at
// synchronous=FULL (argument: the database's path). Environment: PORT, SECRET.
import { createServer } from "node:http";
import { createNodeMiddleware, createProbot } from "probot";

const path = process.argv[2];
let insert = () => {};
if (path) {
  const { default: Database } = await import("better-sqlite3");
  const db = new Database(path);
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
  db.exec("CREATE TABLE IF NOT EXISTS delivery (guid TEXT PRIMARY KEY, event TEXT, body TEXT)");
  const statement = db.prepare("INSERT OR IGNORE INTO delivery VALUES (?, ?, ?)");
  insert = ({ id, name, payload }) => statement.run(id, name, JSON.stringify(payload));
}
const probot = createProbot({
  overrides: { appId: 1, privateKey: process.env.KEY, secret: process.env.SECRET, logLevel: "error" },
});
const middleware = await createNodeMiddleware((app) => app.on("issues.edited", insert), {
  probot,
  webhooksPath: "/webhook",
});
createServer(middleware).listen(Number(process.env.PORT), "127.0.0.1", () => console.log("ready"));
