import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.Base64;
import java.util.regex.Pattern;

/** What Jackson, which Athena's Hive reader is built on, makes of each record: as read.py has it. */
class Read {
    private static final JsonMapper MAPPER = JsonMapper.builder()
        .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
        .enable(JsonWriteFeature.ESCAPE_NON_ASCII)
        .build();

    private static final Pattern ESCAPE = Pattern.compile("\\\\u(\\p{XDigit}{4})");

    public static void main(String[] arguments) throws IOException {
        var lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = lines.readLine()) != null; ) {
            System.out.println(read(Base64.getDecoder().decode(line)));
        }
    }

    /** Python's digits of an escape are small. */
    private static String lower(String json) {
        return ESCAPE.matcher(json).replaceAll(match -> "\\\\u" + match.group(1).toLowerCase());
    }

    private static String read(byte[] data) throws IOException {
        try {
            JsonNode node = MAPPER.readTree(data);
            JsonNode value = node.isObject() ? node.get("x") : node;
            return value == null ? "null" : lower(MAPPER.writeValueAsString(value));
        } catch (JsonProcessingException | StackOverflowError error) {
            return "error";
        }
    }
}
