// An OpenID provider that rotates refresh tokens and revokes a family whose token comes twice.
// Its own userinfo endpoint, /me, is the API. Besides, for the tests: POST /kill ends every access
// token, as expiry does, and GET /counts tells what was granted.
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const [port, lifetime] = process.argv.slice(2, 4).map(Number);
const key = JSON.parse(process.argv[4]);
const client = {
  client_id: 'job',
  client_secret: 's3cret:%+',
  grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
  redirect_uris: [process.argv[5]],
  response_types: ['code'],
  scope: 'openid offline_access profile email',
};
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    { ...client, token_endpoint_auth_method: 'client_secret_basic' },
    { ...client, client_id: 'post', token_endpoint_auth_method: 'client_secret_post' },
    { ...client, client_id: 'dpop', dpop_bound_access_tokens: true },
    {
      ...client, client_id: 'signer', client_secret: undefined, jwks: { keys: [key] },
      token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'ES256',
    },
  ],
  scopes: client.scope.split(' '),
  features: {
    clientCredentials: { enabled: true }, devInteractions: { enabled: true },
    revocation: { enabled: true },
    dPoP: { enabled: true, nonceSecret: Buffer.alloc(32, 1), requireNonce: () => true },
  },
  ttl: {
    AccessToken: lifetime, ClientCredentials: lifetime,
    RefreshToken: 600, Grant: 600, Session: 600, Interaction: 600, IdToken: 600,
  },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  rotateRefreshToken: true,
  issueRefreshToken: async () => true,
  clockTolerance: 0,
});

const counts = { refresh_token: 0, client_credentials: 0, error: 0, revoked: 0 };
let living = [];
provider.on('access_token.saved', (token) => living.push(token));
provider.on('grant.success', (ctx) => { counts[ctx.oidc.params.grant_type] += 1; });
provider.on('grant.error', () => { counts.error += 1; });
provider.on('grant.revoked', () => { counts.revoked += 1; });

const provide = provider.callback();
createServer(async (request, response) => {
  if (request.url === '/kill') {
    await Promise.all(living.splice(0).map((token) => token.destroy()));
  }
  if (request.url === '/kill' || request.url === '/counts') {
    response.end(JSON.stringify(counts));
  } else {
    provide(request, response);
  }
}).listen(port, '127.0.0.1', () => console.log('ready'));
