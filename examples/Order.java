// The life of an order with Java 17: from an empty shelf to DELIVERED. `java Order.java` runs it; ORDER_URL and INVENTORY_URL name the services.
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;

public class Order {
    static final String ORDER_URL = System.getenv().getOrDefault("ORDER_URL", "http://localhost:8080");
    static final String INVENTORY_URL = System.getenv().getOrDefault("INVENTORY_URL", "http://localhost:8081");
    static final int ATTEMPTS = 6;
    static final Set<Integer> MAY_BE_REPEATED = Set.of(408, 429, 500, 502, 503, 504);
    static final HttpClient client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();

    /** Repeats what may be repeated, always with the same key, so that nothing is done twice. */
    static HttpResponse<String> call(String url, String body, String key) throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(URI.create(url)).timeout(Duration.ofSeconds(10))
            .header("Content-Type", "application/json").header("Idempotency-Key", key)
            .POST(HttpRequest.BodyPublishers.ofString(body)).build();
        for (int attempt = 1;; ++attempt) {
            long millis = 100L << attempt;
            try {
                var response = client.send(request, HttpResponse.BodyHandlers.ofString());
                if (!MAY_BE_REPEATED.contains(response.statusCode()) || attempt == ATTEMPTS) return response;
                millis = response.headers().firstValueAsLong("Retry-After").orElse(1) * 1000;
            } catch (IOException noAnswer) { // it is not known whether the request took effect
                if (attempt == ATTEMPTS) throw noAnswer;
            }
            Thread.sleep(millis);
        }
    }

    static String expect(HttpResponse<String> response, Integer... statuses) {
        if (!Set.of(statuses).contains(response.statusCode())) throw new IllegalStateException(response.statusCode() + ": " + response.body());
        return response.body();
    }

    /** The first text member of this name. A real program reads JSON with a library. */
    static String member(String json, String name) {
        var found = Pattern.compile('"' + name + "\":\"([^\"]*)\"").matcher(json);
        if (!found.find()) throw new IllegalStateException("no " + name + " in " + json);
        return found.group(1);
    }

    public static void main(String[] arguments) throws Exception {
        // An item. 409: it exists already, which is as good.
        expect(call(INVENTORY_URL + "/api/inventory/items", """
            {"sku": "SHELL-1", "name": "Hanging heart", "onHand": 100}""", UUID.randomUUID().toString()), 201, 409);

        // Store the key with the cart before the first attempt: a program that starts again after a crash then sends the same one.
        String cart = UUID.randomUUID().toString();
        // unitAmount is in the smallest unit: 255 is 2.55 GBP.
        String order = expect(call(ORDER_URL + "/api/orders?wait=confirmed", """
            {"customerId": "018bcfe5-687b-7abc-8123-456789abcdef", "currency": "GBP",
             "items": [{"sku": "SHELL-1", "quantity": 2, "unitAmount": 255}],
             "shippingAddress": {"line1": "1 High St", "city": "London", "postalCode": "N1 9GU", "country": "GB"}}""", cart), 201);

        // 201 says that the order is taken; only its status says whether there is stock for it.
        if (!member(order, "status").equals("CONFIRMED")) throw new IllegalStateException(order);

        String id = member(order, "id");
        String[][] actions = {{"process", "{}"}, {"ship", "{\"carrier\": \"Royal Mail\", \"trackingNumber\": \"RM123456785GB\"}"}, {"deliver", "{}"}};
        for (String[] action : actions)
            System.out.println(member(expect(call(ORDER_URL + "/api/orders/" + id + "/" + action[0], action[1], cart + "-" + action[0]), 200), "status"));
        System.out.println("order " + id);
    }
}
