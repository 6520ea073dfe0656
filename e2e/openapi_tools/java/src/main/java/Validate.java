import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.swagger.v3.parser.OpenAPIV3Parser;
import io.swagger.v3.parser.core.models.ParseOptions;
import io.swagger.v3.parser.core.models.SwaggerParseResult;
import java.io.File;
import java.io.IOException;
import java.util.regex.Pattern;

/** Reads an OpenAPI document as generators in Java do, and compiles all of its patterns. */
public final class Validate {
    private Validate() {}

    public static void main(String[] arguments) throws IOException {
        ParseOptions options = new ParseOptions();
        options.setResolve(true);
        SwaggerParseResult result = new OpenAPIV3Parser().readLocation(arguments[0], null, options);
        if (!result.getMessages().isEmpty()) {
            throw new IllegalArgumentException(result.getMessages().toString());
        }
        for (JsonNode pattern : new ObjectMapper().readTree(new File(arguments[0])).findValues("pattern")) {
            if (pattern.isTextual()) {
                Pattern.compile(pattern.asText());
            }
        }
        System.out.println("paths: " + result.getOpenAPI().getPaths().size());
    }
}
