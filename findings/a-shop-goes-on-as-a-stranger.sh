#!/usr/bin/env bash
# A customer's session ends in a Vendure shop: no response says so, the cart is empty, and the next item goes into a stranger's cart.
#
# Versions:  Vendure 3.7.3 with sql.js 1.17.0 (npm, Node 20). Needs node and npm.
# Behaviour: to the Shop API a dead token is a visitor's first request. The status is 200 and there are no errors, queries are answered,
#            and mutations are carried out, for nobody. The response brings a new token, and a client that stores it, as the
#            manual tells it to, is that visitor from then on. After a login both carts are one.
# Seen:      token            status  errors  customer         cart      new token  whose order the next item is in
#            alive            200     0       ada@example.com  lamp      no         ada@example.com
#            dead             200     0       nobody           empty     yes        nobody
#            after the login  200     0       ada@example.com  lamp tea  no         ada@example.com
# Exits with 1 if that changes.
set -euo pipefail

for program in node npm; do
    command -v "$program" >/dev/null || { echo "this needs the program $program"; exit 2; }
done
script=$(realpath "$0")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export HOME=$folder
npm install --silent --no-audit --no-fund --prefix "$folder" @vendure/core@3.7.3 sql.js@1.17.0 >/dev/null 2>&1

cat > products.csv <<'CSV'
name,slug,description,assets,facets,optionGroups,optionValues,sku,price,taxCategory,stockOnHand,trackInventory,variantAssets,variantFacets
lamp,lamp,A lamp,,,,,L1,10,standard,100,false,,
tea,tea,Tea,,,,,T1,5,standard,100,false,,
ink,ink,Ink,,,,,I1,5,standard,100,false,,
CSV
cat > shop.cjs <<'JAVASCRIPT'
const { bootstrap, DefaultLogger, dummyPaymentHandler, LogLevel } = require("@vendure/core");
const { populate } = require("@vendure/core/cli");
const net = require("node:net");
const path = require("node:path");

const freePort = () => new Promise(done => {
  const server = net.createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    server.close(() => done(port));
  });
});
let token;

async function main() {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/shop-api`;
  const config = {
    apiOptions: { port, hostname: "127.0.0.1", adminApiPath: "admin-api", shopApiPath: "shop-api" },
    authOptions: {
      tokenMethod: "bearer",
      requireVerification: false,
      superadminCredentials: { identifier: "root", password: "s3cret" },
      sessionDuration: "10s",
      sessionCacheTTL: 1,
    },
    dbConnectionOptions: { type: "sqljs", synchronize: true, location: path.join(__dirname, "shop.sqlite"), autoSave: false },
    paymentOptions: { paymentMethodHandlers: [dummyPaymentHandler] },
    importExportOptions: { importAssetsDir: __dirname },
    logger: new DefaultLogger({ level: LogLevel.Error }),
  };
  const data = {
    defaultLanguage: "en",
    defaultZone: "Europe",
    countries: [{ name: "Austria", code: "AT", zone: "Europe" }],
    taxRates: [{ name: "Standard", percentage: 20 }],
    shippingMethods: [{ name: "Standard", price: 500 }],
    paymentMethods: [],
    collections: [],
    roles: [],
  };
  await populate(() => bootstrap(config), data, path.join(__dirname, "products.csv"));

  const ask = async (query, variables) => {
    const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
    const response = await fetch(url, { method: "POST", headers, body: JSON.stringify({ query, variables }) });
    const given = response.headers.get("vendure-auth-token");
    if (given !== null) token = given; // as Vendure's manual does
    return { status: response.status, isNew: given !== null, ...(await response.json()) };
  };
  const account = { emailAddress: "ada@example.com", password: "s3cret-s3cret" };
  const logIn = () => ask("mutation ($name: String!, $password: String!) { login(username: $name, password: $password) { __typename } }", { name: account.emailAddress, password: account.password });
  await ask("mutation ($input: RegisterCustomerInput!) { registerCustomerAccount(input: $input) { __typename } }", { input: account });
  await logIn();
  const { items } = (await ask("{ products { items { name variants { id } } } }")).data.products;
  const add = async name => {
    const id = items.find(one => one.name === name).variants[0].id;
    const answer = await ask("mutation ($id: ID!) { addItemToOrder(productVariantId: $id, quantity: 1) { ... on Order { customer { emailAddress } } } }", { id });
    return answer.data.addItemToOrder.customer?.emailAddress ?? "nobody";
  };
  await add("lamp");
  const row = async (state, next) => {
    const { status, errors, data, isNew } = await ask("{ activeCustomer { emailAddress } activeOrder { lines { productVariant { name } } } }");
    const cart = data.activeOrder?.lines.map(line => line.productVariant.name).join(" ") ?? "empty";
    const seen = [state.padEnd(17), String(status).padEnd(8), String(errors?.length ?? 0).padEnd(8), (data.activeCustomer?.emailAddress ?? "nobody").padEnd(17), cart.padEnd(10), (isNew ? "yes" : "no").padEnd(11), await next()];
    console.log(seen.join(""));
  };
  await row("alive", () => add("lamp"));
  await new Promise(done => setTimeout(done, 16000));
  await row("dead", () => add("tea"));
  await logIn();
  await row("after the login", () => add("ink"));
}

main().then(() => process.exit(0), error => {
  console.error(error);
  process.exit(1);
});
JAVASCRIPT
node shop.cjs > out 2>log || { tail -n 20 log; exit 1; }
grep 20[0] out | tee seen
sed -n '/^# Seen:/,/^# Exits/p' "$script" | sed '1d;$d;s/^# *//' | diff - seen
