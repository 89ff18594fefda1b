//! Chromium without a window, told what to do over its pipe for developers' tools.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;

/// It reads from the third file and writes to the fourth.
const CHROMIUM: &str = r#"
exec chromium --headless --remote-debugging-pipe --no-sandbox --disable-gpu --no-first-run \
    --disable-background-networking --user-data-dir="$1" 3<&0 4>&1 </dev/null >/dev/null 2>&1
"#;

/// A page of it, stopped when this is dropped.
pub(crate) struct Browser {
    process: Child,
    commands: ChildStdin,
    messages: BufReader<ChildStdout>,
    session: Option<String>,
    number: u64,
    events: Vec<Value>,
    _profile: TempDir,
}

/// How a page is looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View {
    pub(crate) width: u32,
    /// `light` or `dark`.
    pub(crate) scheme: &'static str,
}

#[expect(clippy::print_stderr, reason = "a test that is left out says so")]
impl Browser {
    /// `None`, and says why, where there is no Chromium, as where nobody may install it.
    pub(crate) fn start() -> Option<Self> {
        let found = Command::new("chromium").arg("--version").output();
        if !found.is_ok_and(|output| output.status.success()) {
            eprintln!("left out: there is no chromium; tests/tools/fetch installs it");
            return None;
        }
        let profile = tempfile::tempdir().unwrap();
        let mut process = Command::new("sh")
            .args(["-c", CHROMIUM, "sh"])
            .arg(profile.path())
            .env("HOME", profile.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut browser = Self {
            commands: process.stdin.take().unwrap(),
            messages: BufReader::new(process.stdout.take().unwrap()),
            process,
            session: None,
            number: 0,
            events: Vec::new(),
            _profile: profile,
        };
        browser.attach();
        Some(browser)
    }

    /// Opens a file, and gives what the browser asked for meanwhile, and what it said.
    pub(crate) fn open(&mut self, file: &Path, view: View) -> Vec<String> {
        let View { width, scheme } = view;
        let size =
            json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", &size);
        let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
        self.call(
            "Emulation.setEmulatedMedia",
            &json!({ "features": [feature] }),
        );
        self.events.clear();
        let address = format!("file://{}", file.display());
        self.call("Page.navigate", &json!({ "url": address }));
        self.wait_for("Page.loadEventFired");
        self.heard(&address)
    }

    /// The value of an expression in the page; of a promise, what it comes to.
    #[track_caller]
    pub(crate) fn evaluate(&mut self, expression: &str) -> Value {
        let arguments =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let result = self.call("Runtime.evaluate", &arguments);
        assert!(result["exceptionDetails"].is_null(), "{result}");
        result["result"]["value"].clone()
    }

    fn attach(&mut self) {
        let target = self.call("Target.createTarget", &json!({ "url": "about:blank" }));
        let arguments = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = self.call("Target.attachToTarget", &arguments);
        self.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Network", "Runtime", "Log"] {
            self.call(&format!("{domain}.enable"), &json!({}));
        }
    }

    fn heard(&self, address: &str) -> Vec<String> {
        let heard = self.events.iter().filter_map(|event| {
            let parameters = &event["params"];
            match event["method"].as_str()? {
                "Network.requestWillBeSent" => {
                    let asked = parameters["request"]["url"].as_str()?;
                    (asked != address).then(|| asked.to_owned())
                }
                "Runtime.consoleAPICalled" | "Runtime.exceptionThrown" | "Log.entryAdded" => {
                    Some(parameters.to_string())
                }
                _ => None,
            }
        });
        heard.collect()
    }

    fn wait_for(&mut self, method: &str) {
        while !self.events.iter().any(|event| event["method"] == method) {
            let event = self.read();
            self.events.push(event);
        }
    }

    fn call(&mut self, method: &str, parameters: &Value) -> Value {
        self.number += 1;
        let mut command = json!({ "id": self.number, "method": method, "params": *parameters });
        if let Some(session) = &self.session {
            command["sessionId"] = session.as_str().into();
        }
        let command = format!("{command}\0");
        self.commands.write_all(command.as_bytes()).unwrap();
        loop {
            let mut message = self.read();
            if message["id"] == self.number {
                assert!(message["error"].is_null(), "{method}: {message}");
                return message["result"].take();
            }
            self.events.push(message);
        }
    }

    fn read(&mut self) -> Value {
        let mut message = Vec::new();
        self.messages.read_until(0, &mut message).unwrap();
        assert_eq!(message.pop(), Some(0), "chromium has ended");
        serde_json::from_slice(&message).unwrap()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
