"""Certificates for tests: an authority that signs what a test asks for, by the command openssl."""
import pathlib
import subprocess

KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class Authority:
    def __init__(self, folder, name="authority"):
        self.folder = pathlib.Path(folder)
        self.certificate, self.key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        openssl("req", "-x509", *KEY, "-keyout", self.key, "-out", self.certificate, "-subj", f"/CN={name}", "-days", 3650)

    def issue(self, name, *hosts, days=1):
        """The files (certificate, key) NAME.pem and NAME.key, replaced when they are there; days=-1 makes one that has expired."""
        certificate, key, request = (self.folder / f"{name}.{end}" for end in ("pem", "key", "csr"))
        extensions = self.folder / f"{name}.ext"
        kinds = ("IP" if host.replace(".", "").isdigit() or ":" in host else "DNS" for host in hosts)
        extensions.write_text("subjectAltName=" + ",".join(f"{kind}:{host}" for kind, host in zip(kinds, hosts)) + "\nextendedKeyUsage=serverAuth,clientAuth\n")
        openssl("req", *KEY, "-keyout", f"{key}.new", "-out", request, "-subj", f"/CN={hosts[0]}")
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-days", days, "-extfile", extensions, "-out", f"{certificate}.new")
        for file in (certificate, key):
            pathlib.Path(f"{file}.new").replace(file)
        return certificate, key
