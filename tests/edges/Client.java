import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Base64;
import java.util.List;

/**
 * Sends the requests on standard input with the client of the JDK, one after the other, and prints the answers.
 * A request is a line: method, URL, body and headers, separated by tabs. An answer is one, too: status and body. Bodies
 * are in base64.
 *
 * usage: java Client.java HTTP_2|HTTP_1_1 length|chunked|expect
 */
class Client {
    /** Bytes of a body that the server refuses at once; JDK 17 waits forever for an answer to come after that. */
    private static final int HANGS = 200_000;

    public static void main(String[] arguments) throws Exception {
        var version = HttpClient.Version.valueOf(arguments[0]); // with HTTP_2, every request offers an upgrade to h2c
        var client = HttpClient.newBuilder().version(version).build();
        var lines = new BufferedReader(new InputStreamReader(System.in)).lines().iterator();
        while (lines.hasNext()) {
            var request = request(List.of(lines.next().split("\t", -1)), arguments[1]);
            var answer = client.send(request, BodyHandlers.ofByteArray());
            System.out.println(answer.statusCode() + "\t" + Base64.getEncoder().encodeToString(answer.body()));
        }
    }

    private static HttpRequest request(List<String> told, String how) {
        var body = Base64.getDecoder().decode(told.get(2));
        var request = HttpRequest.newBuilder(URI.create(told.get(1)))
            .method(told.get(0), publisher(body, how))
            .expectContinue(how.equals("expect") && body.length > 0 && body.length < HANGS)
            .timeout(Duration.ofSeconds(30));
        for (var header : told.subList(3, told.size())) {
            var parts = header.split(": ", 2);
            request.header(parts[0], parts[1]);
        }
        return request.build();
    }

    private static BodyPublisher publisher(byte[] body, String how) {
        if (body.length == 0) {
            return BodyPublishers.noBody();
        }
        if (how.equals("chunked")) { // the client does not know the length of a stream
            return BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(body));
        }
        return BodyPublishers.ofByteArray(body);
    }
}
