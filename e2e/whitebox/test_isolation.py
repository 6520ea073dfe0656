"""Several users send requests at random; then the databases contain their data and nothing else.

Only a look into the databases shows that nothing else was stored.
"""

from collections.abc import Generator
from contextlib import ExitStack

import pytest
from httpx import Client, Response
from hypothesis import HealthCheck, Phase, assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    multiple,
    rule,
    run_state_machine_as_test,
)

from devkit.platform.tokens import user_id_of
from devkit.testing.auth_headers import token_headers
from e2e.support.contract import UNKNOWN_ID
from e2e.support.database_state import DatabaseState
from e2e.support.isolated_platform import IsolatedPlatform
from e2e.support.reference_model import (
    DEFAULT_FIELDS,
    UNKNOWN_USER_ID,
    USER_NAMING_REQUESTS,
    TaskFields,
    UserModel,
    contains_text,
    expected_tables,
    sort_position,
)

SUBJECTS = ("00000000-0000-4000-8000-00000000000a", "ben", "eve")
"""A subject that is a user id itself, and two from which the user id is derived."""

users = st.integers(0, len(SUBJECTS) - 1)
keys = st.sampled_from(["one", "two"])
words = st.sampled_from(["Water", "water the plants", "100 %"])
label_names = st.sampled_from(["blue", "green", "red"])
TASK_FIELDS = {"title": words, "description": st.none() | words, "is_completed": st.booleans()}
task_fields = st.fixed_dictionaries(TASK_FIELDS)
optional_task_fields = st.fixed_dictionaries({}, optional=TASK_FIELDS)


RUNS = settings(
    database=None,
    deadline=None,
    derandomize=True,
    max_examples=25,
    phases=[Phase.generate],
    stateful_step_count=40,
    suppress_health_check=[HealthCheck.too_slow],
)
"""Send the same requests in every run; do not shrink failures, they show within seconds."""


def request_headers(isolated_platform: IsolatedPlatform, subject: str) -> dict[str, str]:
    """Return headers with one request id for all, so that responses can be compared."""
    headers = token_headers(isolated_platform.secret, subject)
    headers["X-Request-ID"] = "the-same-for-all"
    return headers


def without_date(response: Response) -> tuple[int, bytes, dict[str, str]]:
    """Return everything that a client sees of a response, except the time."""
    headers = dict(response.headers)
    headers.pop("date", None)
    return response.status_code, response.content, headers


def assert_rejected(response: Response, status: int, code: str) -> None:
    assert response.status_code == status, response.text
    assert response.json()["code"] == code


class Users(RuleBasedStateMachine):
    """Users who do what they may, and try what they may not."""

    ids = Bundle("ids")
    lists = Bundle("lists")
    labels = Bundle("labels")
    """The ids of tasks, lists and labels of all users, deleted ones included."""

    def __init__(self, clients: dict[str, Client], database_state: DatabaseState) -> None:
        super().__init__()
        database_state.truncate()
        self.database_state = database_state
        self.users: list[UserModel] = []
        for subject, client in clients.items():
            self.users.append(UserModel(str(user_id_of(subject)), subject, client))

    @rule(target=ids, index=users, fields=task_fields)
    def create_task(self, index: int, fields: TaskFields) -> str:
        """Create a task."""
        user = self.users[index]
        response = user.client.post("/tasks", json=fields)
        assert response.status_code == 201, response.text
        task = response.json()
        user.create_task(fields, task)
        return str(task["id"])

    @rule(index=users, key=keys, fields=task_fields)
    def create_task_with_key(self, index: int, key: str, fields: TaskFields) -> None:
        """Create a task with an idempotency key that the other users use as well."""
        user = self.users[index]
        response = user.client.post("/tasks", json=fields, headers={"Idempotency-Key": key})
        if key not in user.stored_responses:
            assert response.status_code == 201, response.text
            user.create_task(fields, response.json())
            user.stored_responses[key] = fields, response.json()
            return
        replayed_task = user.replayed_task(key, fields)
        if replayed_task is None:
            assert_rejected(response, 422, "key-reused")
        else:
            assert response.status_code == 201
            assert response.json() == replayed_task

    @rule(index=users, task_id=ids, title=words)
    def create_task_with_id(self, index: int, task_id: str, title: str) -> None:
        """Create a task with a used id: it succeeds if the task is deleted, whoever had it."""
        user = self.users[index]
        response = user.client.put(
            f"/tasks/{task_id}", json={"title": title}, headers={"If-None-Match": "*"}
        )
        if task_id in user.tasks:
            assert response.status_code == 412, response.text
            user.ensure_owner()
        elif any(task_id in other.tasks for other in self.users):
            assert response.status_code == 409, response.text
            user.ensure_owner()
        else:
            assert response.status_code == 201, response.text
            user.restore_task({"title": title}, response.json())

    @rule(index=users, task_id=ids)
    def get_task(self, index: int, task_id: str) -> None:
        """Read a task."""
        response = self._request(index, "GET", "/tasks/{id}", task_id)
        if response:
            assert response.json() == self.users[index].tasks[task_id]

    @rule(index=users, task_id=ids, fields=optional_task_fields)
    def change_task(self, index: int, task_id: str, fields: TaskFields) -> None:
        """Change a task."""
        response = self._request(index, "PATCH", "/tasks/{id}", task_id, fields)
        if response:
            self.users[index].change_task(fields, response.json())

    @rule(index=users, task_id=ids, title=words, fields=optional_task_fields)
    def replace_task(self, index: int, task_id: str, title: str, fields: TaskFields) -> None:
        """Replace a task."""
        body = {"title": title} | fields
        response = self._request(index, "PUT", "/tasks/{id}", task_id, body)
        if response:
            self.users[index].change_task(DEFAULT_FIELDS | body, response.json())

    @rule(index=users, task_id=ids)
    def delete_task(self, index: int, task_id: str) -> None:
        """Delete a task."""
        if self._request(index, "DELETE", "/tasks/{id}", task_id):
            self.users[index].delete_task(task_id)

    @initialize(target=lists)
    def create_initial_lists(self) -> MultipleResults[str]:
        """Create lists of one name for two users."""
        list_ids = [str(self.create_list(index, "Water")) for index in (0, 1)]
        return multiple(*list_ids)

    @rule(target=lists, index=users, name=words)
    def create_list(self, index: int, name: str) -> str | MultipleResults[str]:
        """Create a list: names are unique for a user, not for all users."""
        user = self.users[index]
        response = user.client.post("/lists", json={"name": name})
        if name in {task_list["name"] for task_list in user.lists.values()}:
            assert_rejected(response, 409, "name-taken")
            return multiple()
        assert response.status_code == 201, response.text
        user.create_list(name, response.json())
        return str(response.json()["id"])

    @rule(index=users, task_id=ids, list_id=lists, is_own=st.booleans())
    def move_task(self, index: int, task_id: str, list_id: str, *, is_own: bool) -> None:
        """Move a task, often an own one, to a list; another user's list looks missing."""
        if is_own:
            index = self._owner_index(task_id)
        user = self.users[index]
        if task_id not in user.tasks or list_id in user.lists:
            response = self._request(
                index, "POST", "/tasks/{id}/move", task_id, {"list_id": list_id}
            )
            if response:
                user.move_task(list_id, response.json())
            return
        path = f"/tasks/{task_id}/move"
        response = user.client.post(path, json={"list_id": list_id})
        missing = user.client.post(path, json={"list_id": UNKNOWN_ID})
        assert_rejected(response, 422, "list-not-found")
        assert without_date(response) == without_date(missing)

    @rule(index=users, list_id=lists)
    def delete_list(self, index: int, list_id: str) -> None:
        """Delete a list."""
        if self._request(index, "DELETE", "/lists/{id}", list_id):
            self.users[index].delete_list(list_id)

    @initialize(target=labels)
    def create_initial_labels(self) -> MultipleResults[str]:
        """Create labels of one name for two users, and one more."""
        label_ids: list[str] = []
        for index, name in ((0, "red"), (1, "red"), (1, "blue")):
            task_id = str(self.create_task(index, DEFAULT_FIELDS | {"title": "Water"}))
            label_ids += self._set_labels(index, task_id, {name})
        return multiple(*label_ids)

    @rule(target=labels, index=users, task_id=ids, names=st.sets(label_names), is_own=st.booleans())
    def set_labels(
        self, index: int, task_id: str, names: set[str], *, is_own: bool
    ) -> MultipleResults[str]:
        """Replace the labels of a task, often an own one."""
        if is_own:
            index = self._owner_index(task_id)
        return multiple(*self._set_labels(index, task_id, names))

    def _set_labels(self, index: int, task_id: str, names: set[str]) -> list[str]:
        response = self._request(index, "PATCH", "/tasks/{id}", task_id, {"labels": sorted(names)})
        if response is None:
            return []
        return self.users[index].set_labels(names, response.json())

    @rule(index=users, label_id=labels, name=label_names)
    def rename_label(self, index: int, label_id: str, name: str) -> None:
        """Rename a label, unless another label has the name."""
        user = self.users[index]
        other_names = {label["name"] for label in user.labels.values() if label["id"] != label_id}
        if label_id in user.labels and name in other_names:
            rejected = user.client.patch(f"/labels/{label_id}", json={"name": name})
            assert_rejected(rejected, 409, "name-taken")
            return
        response = self._request(index, "PATCH", "/labels/{id}", label_id, {"name": name})
        if response:
            user.rename_label(name, response.json())

    @rule(index=users, label_id=labels)
    def delete_label(self, index: int, label_id: str) -> None:
        """Delete a label."""
        if self._request(index, "DELETE", "/labels/{id}", label_id):
            self.users[index].delete_label(label_id)

    @rule(index=users, name=label_names)
    def list_labels(self, index: int, name: str) -> None:
        """List labels with their counts, and the tasks with one of them."""
        user = self.users[index]
        counts: dict[object, int] = {}
        for label in user.labels.values():
            counts[label["name"]] = len(user.labelled_tasks(label))
        labels = user.client.get("/labels").json()
        labelled_tasks = user.client.get("/tasks", params={"label": name}).json()

        assert [label["name"] for label in labels] == sorted(counts, key=str)
        for label in labels:
            assert label.pop("task_count") == counts[label["name"]]
            assert label == user.labels[label["id"]]
        assert labelled_tasks == [task for task in user.sorted_tasks() if name in task["labels"]]

    @rule(index=users, is_completed=st.booleans(), q=words)
    def search_tasks(self, index: int, q: str, *, is_completed: bool) -> None:
        """List some tasks, and all."""
        user = self.users[index]
        query = {"is_completed": is_completed, "q": q}

        matching = [
            task
            for task in user.sorted_tasks()
            if task["is_completed"] == is_completed and contains_text(task, q)
        ]
        assert user.client.get("/tasks", params=query).json() == matching
        assert user.client.get("/tasks").json() == user.sorted_tasks()

    @rule(index=users, other_index=users, limit=st.integers(1, 3))
    def follow_next_link(self, index: int, other_index: int, limit: int) -> None:
        """Follow any user's link to the next page: it leads to the own tasks."""
        user = self.users[index]
        other = self.users[other_index]
        first_page = other.client.get("/tasks", params={"limit": limit})
        assert first_page.json() == other.sorted_tasks()[:limit]
        if "next" not in first_page.links:
            return
        last_position = sort_position(first_page.json()[-1])
        following = [task for task in user.sorted_tasks() if sort_position(task) > last_position]
        next_page = user.client.get(first_page.links["next"]["url"])
        assert next_page.json() == following[:limit]

    @rule(
        index=users,
        other_index=users,
        task_id=ids,
        request=st.sampled_from(list(USER_NAMING_REQUESTS)),
        by_subject=st.booleans(),
    )
    def name_another_user(
        self, index: int, other_index: int, task_id: str, request: str, *, by_subject: bool
    ) -> None:
        """Name another user: the response does not tell whether the user exists."""
        assume(index != other_index)
        other = self.users[other_index]
        naming_request = USER_NAMING_REQUESTS[request]
        existing = other.id
        if by_subject and naming_request.accepts_subject:
            existing = other.subject
        responses: list[Response] = []
        for name in (existing, UNKNOWN_USER_ID):
            body = {key: text.format(user=name) for key, text in naming_request.body.items()}
            path = naming_request.path.format(user=name, task=task_id)
            response = self.users[index].client.request(
                naming_request.method, path, json=body or None
            )
            responses.append(response)
        assert responses[0].status_code == naming_request.status
        assert without_date(responses[0]) == without_date(responses[1])

    @rule(index=users, time_zone=st.sampled_from(["UTC", "Europe/Berlin"]))
    def change_time_zone(self, index: int, time_zone: str) -> None:
        """Change the time zone of the profile."""
        user = self.users[index]
        response = user.client.patch("/users/me", json={"time_zone": time_zone})
        user.update_profile(response.json(), time_zone)

    def teardown(self) -> None:
        """Compare everything that is stored with everything that the users have written."""
        for user in self.users:
            list_ids = {task_list["id"] for task_list in user.client.get("/lists").json()}
            assert list_ids == user.lists.keys()
            if user.has_profile:
                user.update_profile(user.client.get("/users/me").json(), user.time_zone)
        assert self.database_state.read_tables() == expected_tables(self.users)

    def _owner_index(self, task_id: str) -> int:
        """Return the index of the user who has a task, or 0 if it is deleted."""
        for index, user in enumerate(self.users):
            if task_id in user.tasks:
                return index
        return 0

    def _request(
        self,
        index: int,
        method: str,
        path: str,
        resource_id: str,
        body: TaskFields | None = None,
    ) -> Response | None:
        """Send a request about a task, list or label.

        Return the response if the user owns it. Otherwise check that the response equals, byte for
        byte, the one about an id that nobody has, and return None.
        """
        user = self.users[index]
        response = user.client.request(method, path.format(id=resource_id), json=body)
        if resource_id in user.tasks | user.lists | user.labels:
            assert response.is_success, response.text
            return response
        assert response.status_code == 404
        missing = user.client.request(method, path.format(id=UNKNOWN_ID), json=body)
        assert without_date(response) == without_date(missing)
        return None


@pytest.fixture(scope="module")
def database_state(isolated_platform: IsolatedPlatform) -> Generator[DatabaseState]:
    database_state = DatabaseState(isolated_platform)
    yield database_state
    database_state.close()


@pytest.mark.scenario(
    "S001-FR-005", "S001-SC-003", "S002-FR-002", "S002-FR-003", "S002-SC-006", "S002-SC-009"
)
def test_each_user_has_exactly_what_they_wrote(
    isolated_platform: IsolatedPlatform, database_state: DatabaseState
) -> None:
    with ExitStack() as stack:
        clients: dict[str, Client] = {}
        for subject in SUBJECTS:
            headers = request_headers(isolated_platform, subject)
            client = Client(base_url=isolated_platform.url, headers=headers)
            clients[subject] = stack.enter_context(client)

        class UsersOfPlatform(Users):
            def __init__(self) -> None:
                super().__init__(clients, database_state)

        run_state_machine_as_test(UsersOfPlatform, settings=RUNS)
