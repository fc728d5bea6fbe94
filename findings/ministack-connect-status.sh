#!/bin/sh
# ministack 1.5.33 answers 403 to the handshake of a WebSocket API whatever status the integration of $connect answers. On AWS
# the client gets that status, 400 in this example:
# https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-connect-route-subprotocol.html
#
# Seen with Python 3.11:
#   ministack 1.5.33
#   $connect answered: 401
#   the client got: HTTP/1.1 403 Forbidden
#
# Exits 0 while that is so, and otherwise with another status.
set -eu

folder=$(mktemp -d)
server=
trap 'if [ -n "$server" ]; then kill "$server"; wait "$server" || true; fi; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check ministack==1.5.33

port=$(python/bin/python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
GATEWAY_PORT=$port BIND_HOST=127.0.0.1 TMPDIR=$folder SFTP_ENABLED=0 IOT_MTLS_ENABLED=0 \
  AWS_ACCESS_KEY_ID=root AWS_SECRET_ACCESS_KEY=root python/bin/ministack > log 2>&1 &
server=$!
for _ in $(seq 100); do
  if grep -q "Running on" log; then break; fi
  sleep 0.2
done

cat > try.py <<'PY'
import base64
import io
import json
import os
import socket
import sys
import zipfile

from importlib.metadata import version

from botocore.session import Session

port = int(sys.argv[1])
endpoint = f"http://127.0.0.1:{port}"
print("ministack", version("ministack"))


def client(service, access_key="root", secret_key="root"):
    return Session().create_client(
        service,
        region_name="us-east-1",
        endpoint_url=endpoint,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
    )


def websocket_api(answer):
    """A WebSocket API whose route $connect answers so."""
    role = client("iam").create_role(
        RoleName="role",
        AssumeRolePolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "lambda.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                    }
                ],
            }
        ),
    )["Role"]["Arn"]
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("index.py", f"def handler(event, context):\n    return {answer!r}\n")
    function = client("lambda").create_function(
        FunctionName="connect",
        Runtime="python3.13",
        Handler="index.handler",
        Role=role,
        Code={"ZipFile": code.getvalue()},
    )["FunctionArn"]
    gateway = client("apigatewayv2")
    api = gateway.create_api(
        Name="api", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action"
    )["ApiId"]
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations"
    integration = gateway.create_integration(
        ApiId=api, IntegrationType="AWS_PROXY", IntegrationMethod="POST", IntegrationUri=uri
    )["IntegrationId"]
    gateway.create_route(ApiId=api, RouteKey="$connect", Target=f"integrations/{integration}")
    gateway.create_stage(ApiId=api, StageName="live")
    return api


def handshake(api, *headers):
    """The socket of a client, and the head of the answer to its handshake."""
    connection = socket.create_connection(("127.0.0.1", port))
    lines = [
        f"GET /_aws/execute-api/{api}/live HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: " + base64.b64encode(os.urandom(16)).decode(),
        *headers,
    ]
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    head = b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(4096)
    return connection, head.decode().splitlines()


_, head = handshake(websocket_api({"statusCode": 401, "body": "no token"}))
print("$connect answered: 401")
print("the client got:", head[0])
sys.exit(0 if head[0].startswith("HTTP/1.1 403") else 1)
PY
python/bin/python try.py "$port"
