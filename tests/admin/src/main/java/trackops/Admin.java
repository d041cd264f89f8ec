package trackops;

import de.codecentric.boot.admin.server.config.EnableAdminServer;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

@SpringBootApplication
@EnableAdminServer
public class Admin {
    public static void main(String[] arguments) {
        SpringApplication.run(Admin.class, arguments);
    }
}
