// Passkeys by the browser's own functions (WebAuthn Level 3). What needs them is taken away where they are missing.
const trouble = document.querySelector('[data-passkey-trouble]');

const say = (text) => {
  trouble.querySelector('p').textContent = text;
  trouble.hidden = false;
};

async function post(path, body) {
  const response = await fetch(path, {
    method: 'POST',
    headers: body ? { 'Content-Type': 'application/json' } : {},
    body: body ? JSON.stringify(body) : null,
  });
  const answer = await response.json();
  if (response.ok) return answer;
  if (answer.code === 'step_up_required') {
    location.assign(`/confirm?next=${encodeURIComponent(location.pathname)}`);
    return new Promise(() => {});
  }
  const [wrong] = answer.errors ?? [];
  const input = wrong && document.getElementById(wrong.path);
  if (input) return refuse(input, `${labelOf(input)} ${wrong.message}.`);
  throw new Error(answer.detail ?? answer.title);
}

const labelOf = (input) => input.labels[0].firstElementChild.textContent;

function refuse(input, words) {
  input.setAttribute('aria-invalid', 'true');
  input.focus();
  throw new Error(words);
}

/** What is typed in these fields of a form. */
function filled(form, ...names) {
  const inputs = names.map((name) => document.getElementById(form).elements[name]);
  for (const input of inputs) input.removeAttribute('aria-invalid');
  for (const input of inputs) if (!input.value.trim()) refuse(input, `Fill in “${labelOf(input)}” first.`);
  return Object.fromEntries(inputs.map(({ name, value }) => [name, value]));
}

async function ask() {
  const { publicKey } = await post('/v1/passkeys/challenge');
  const credential = await navigator.credentials.get({
    publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey),
  });
  return credential.toJSON();
}

const create = async ({ publicKey }) => {
  const credential = await navigator.credentials.create({
    publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey),
  });
  return credential.toJSON();
};

const acts = {
  'sign-in': async () => post('/v1/passkeys/sign-in', { credential: await ask() }),
  confirm: async ({ session }) => post(`/v1/sessions/${encodeURIComponent(session)}/confirm`, { passkey: await ask() }),
  add: async (_, form) => {
    const name = form.elements.name.value.trim();
    if (!name) throw new Error('Give the passkey a name first.');
    return post('/v1/passkeys', { name, credential: await create(await post('/v1/passkeys/options')) });
  },
  join: async () => {
    const person = filled('join', 'token', 'name');
    const credential = await create(await post('/v1/passkeys/join/options', person));
    return post('/v1/passkeys/join', { ...person, credential });
  },
  setup: async () => {
    const workspace = filled('setup', 'token', 'workspace', 'name', 'email');
    const credential = await create(await post('/v1/passkeys/setup/options', workspace));
    return post('/v1/passkeys/setup', { ...workspace, credential });
  },
};

// A second click would ask anew, and the passkey that the first one makes would answer what is asked no more.
let running = false;

async function run(element) {
  if (running) return;
  running = true;
  trouble.hidden = true;
  try {
    await acts[element.dataset.passkey](element.dataset, element);
    location.assign(element.dataset.next);
  } catch (error) {
    // The browser's own words for these are about its internals.
    if (error.name === 'NotAllowedError') say('No passkey was used: it was cancelled, or took too long.');
    else if (error.name === 'InvalidStateError') say('This device already has a passkey for your account.');
    else say(error.message);
  } finally {
    running = false;
  }
}

const usable = Boolean(globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON);
for (const element of document.querySelectorAll('[data-passkey]')) {
  if (!usable) element.remove();
  element.addEventListener(element.tagName === 'FORM' ? 'submit' : 'click', (event) => {
    event.preventDefault();
    run(element);
  });
}
if (!usable) {
  for (const element of document.querySelectorAll('[data-with-passkey]')) element.remove();
  for (const way of document.querySelectorAll('[data-open-without-passkey]')) way.open = true;
  for (const button of document.querySelectorAll('[data-submit]')) button.classList.add('btn--primary');
}
