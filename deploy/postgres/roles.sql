-- Run once, when the volume is empty: a database and a role for each that keeps something, and no way to another's.

\set ON_ERROR_STOP on
\getenv tasks_password TASKS_DATABASE_PASSWORD
\getenv users_password USERS_DATABASE_PASSWORD
\getenv better_auth_password BETTER_AUTH_DATABASE_PASSWORD

-- Who may create roles without being a superuser, as on a managed server, may then give them databases.
SET createrole_self_grant = 'set, inherit';

CREATE ROLE tasks LOGIN PASSWORD :'tasks_password';
CREATE ROLE users LOGIN PASSWORD :'users_password';
CREATE ROLE better_auth LOGIN PASSWORD :'better_auth_password';

CREATE DATABASE tasks OWNER tasks;
CREATE DATABASE users OWNER users;
CREATE DATABASE better_auth OWNER better_auth;

-- Without this every role may connect to every database.
REVOKE ALL ON DATABASE tasks, users, better_auth, postgres, template1 FROM PUBLIC;
