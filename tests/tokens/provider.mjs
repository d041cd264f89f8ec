// A real identity provider for a test: oidc-provider, with the keys and the clients that the test names. Prints its port when it listens.
//   node provider.mjs PORT KEYS.json     PORT 0: any; KEYS.json: private keys (JWK), of which the first signs
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const [port, keys] = process.argv.slice(2);
const scopes = ['orders:read', 'orders:write', 'orders:own'];

// oidc-provider asks for tokens by name and secret; such a client never sees a browser.
const client = (id, scope) => ({
    client_id: id, client_secret: `${id}-secret-of-the-test`, grant_types: ['client_credentials'], redirect_uris: [], response_types: [], scope,
});

const configuration = {
    clients: [client('shop', 'orders:read orders:write'), client('reader', 'orders:read'), client('ada', 'orders:own')],
    scopes,
    jwks: JSON.parse(readFileSync(keys, 'utf8')),
    extraTokenClaims: (_, token) => (token.clientId === 'ada' ? { customer_id: 'ada' } : undefined),
    features: {
        clientCredentials: { enabled: true },
        devInteractions: { enabled: false },
        resourceIndicators: {
            enabled: true,
            defaultResource: () => 'urn:trackops',
            getResourceServerInfo: (_, resource) => ({
                scope: scopes.join(' '), audience: resource === 'urn:trackops' ? 'trackops' : 'billing', accessTokenFormat: 'jwt', accessTokenTTL: 300,
            }),
        },
    },
};

const server = createServer();
server.listen(Number(port), '127.0.0.1', () => {
    const provider = new Provider(`http://127.0.0.1:${server.address().port}`, configuration);
    server.on('request', provider.callback());
    console.log(server.address().port);
});
